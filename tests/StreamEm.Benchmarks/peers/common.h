// What the C++ peers share: data, clock, and the cost of an iteration as the difference of two runs.
#pragma once
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

inline std::vector<double> read_doubles(const std::string& path) {
  FILE* file = fopen(path.c_str(), "rb");
  if (!file) { perror(path.c_str()); exit(2); }
  fseek(file, 0, SEEK_END);
  std::vector<double> values(ftell(file) / sizeof(double));
  rewind(file);
  if (fread(values.data(), sizeof(double), values.size(), file) != values.size()) exit(2);
  fclose(file);
  return values;
}

inline double seconds(int threads) {
  timespec now;
  clock_gettime(threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

template <class Run>  // Run(n) takes the seconds of n iterations and whatever surrounds them
double rows_per_second(Run run, int rows, int repetitions) {
  std::vector<double> taken;
  for (int i = 0; i < repetitions; i++) {
    double one = run(1), three = run(3);
    taken.push_back(std::max(1e-9, (three - one) / 2));
  }
  std::sort(taken.begin(), taken.end());
  return rows / taken[taken.size() / 2];
}
