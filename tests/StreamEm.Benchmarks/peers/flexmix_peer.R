# R's flexmix on mixtures of yes-no features and of counts, per EM iteration, CPU time: flexmix_peer.R ROWS
suppressMessages(library(flexmix))
set.seed(1)
K <- 8; D <- 16; n <- as.integer(commandArgs(TRUE)[1])
z <- sample(K, n, TRUE)
yes <- matrix(rbinom(n * D, 1, matrix(runif(K * D), K)[z, ]), n)
counts <- matrix(rpois(n * D, matrix(rexp(K * D, .2), K)[z, ]), n)
seconds <- function(x, driver, iterations) {
  start <- sum(proc.time()[1:2])
  suppressWarnings(flexmix(x ~ 1, k = K, model = driver, cluster = z, control = list(iter.max = iterations, tolerance = 0, minprior = 0)))
  sum(proc.time()[1:2]) - start
}
for (name in c("mvbinary", "mvpois")) {
  x <- if (name == "mvbinary") yes else counts
  driver <- if (name == "mvbinary") FLXMCmvbinary() else FLXMCmvpois()
  taken <- replicate(5, (seconds(x, driver, 6) - seconds(x, driver, 1)) / 5)
  cat(sprintf("RESULT %s %.0f\n", name, n / median(taken)))
}
