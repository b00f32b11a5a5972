// Armadillo's gmm_full and gmm_diag on the benchmark's data: DIR D K ROWS REPETITIONS THREADS.
#include <armadillo>

#include "common.h"

int main(int, char** argv) {
  std::string prefix = std::string(argv[1]) + "/" + argv[2] + "_" + argv[3];
  int d = atoi(argv[2]), k = atoi(argv[3]), rows = atoi(argv[4]), repetitions = atoi(argv[5]), threads = atoi(argv[6]);
  auto x = read_doubles(prefix + ".x.bin"), w = read_doubles(prefix + ".w.bin"), m = read_doubles(prefix + ".m.bin"), c = read_doubles(prefix + ".c.bin");
  arma::mat data(x.data(), d, rows, false), means(m.data(), d, k);
  arma::cube covariances(c.data(), d, d, k);
  arma::rowvec weights(w.data(), k);
  arma::mat variances(d, k);
  for (int i = 0; i < k; i++) variances.col(i) = covariances.slice(i).diag();
  auto full = [&](int n) {
    arma::gmm_full model;
    model.set_params(means, covariances, weights);
    double start = seconds(threads);
    model.learn(data, k, arma::maha_dist, arma::keep_existing, 0, n, 1e-10, false);
    return seconds(threads) - start;
  };
  auto diag = [&](int n) {
    arma::gmm_diag model;
    model.set_params(means, variances, weights);
    double start = seconds(threads);
    model.learn(data, k, arma::maha_dist, arma::keep_existing, 0, n, 1e-10, false);
    return seconds(threads) - start;
  };
  printf("RESULT full fit %.0f\n", rows_per_second(full, rows, repetitions));
  printf("RESULT diag fit %.0f\n", rows_per_second(diag, rows, repetitions));
}
