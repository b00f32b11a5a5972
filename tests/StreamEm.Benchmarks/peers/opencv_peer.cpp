// OpenCV's ml::EM on the benchmark's data: DIR D K ROWS REPETITIONS THREADS.
#include <opencv2/ml.hpp>

#include "common.h"

int main(int, char** argv) {
  std::string prefix = std::string(argv[1]) + "/" + argv[2] + "_" + argv[3];
  int d = atoi(argv[2]), k = atoi(argv[3]), rows = atoi(argv[4]), repetitions = atoi(argv[5]), threads = atoi(argv[6]);
  cv::setNumThreads(threads);
  auto x = read_doubles(prefix + ".x.bin"), w = read_doubles(prefix + ".w.bin"), m = read_doubles(prefix + ".m.bin"), c = read_doubles(prefix + ".c.bin");
  cv::Mat data(rows, d, CV_64F, x.data()), means(k, d, CV_64F, m.data()), weights(1, k, CV_64F, w.data());
  for (bool full : {true, false}) {
    std::vector<cv::Mat> covariances;
    for (int i = 0; i < k; i++) {
      cv::Mat matrix(d, d, CV_64F, c.data() + i * d * d);
      covariances.push_back(full ? matrix.clone() : cv::Mat(cv::Mat::diag(matrix.diag())));
    }
    auto run = [&](int n) {
      auto em = cv::ml::EM::create();
      em->setClustersNumber(k);
      em->setCovarianceMatrixType(full ? cv::ml::EM::COV_MAT_GENERIC : cv::ml::EM::COV_MAT_DIAGONAL);
      em->setTermCriteria(cv::TermCriteria(cv::TermCriteria::COUNT, n, 0));
      double start = seconds(threads);
      em->trainE(data, means, covariances, weights);
      return seconds(threads) - start;
    };
    printf("RESULT %s fit %.0f\n", full ? "full" : "diag", rows_per_second(run, rows, repetitions));
  }
}
