import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;

/**
 * k-means, minibatches of 1024, as a bare loop on the JVM: java KMeansLoop.java D,K [D,K ...]. Every row an array, the nearest centre by
 * |c|^2 - 2 x.c, a sum and a count of every centre, and the rule that Spark's StreamingKMeans and Flink ML's OnlineKMeans have with a decay
 * of 1: c += (mean of the minibatch - c) m / (n + m). No rows are made, boxed, sent or scheduled: what those two can reach at most.
 */
public final class KMeansLoop {
    private static final int SIZE = 1024, MINIBATCHES = 20, SAMPLES = 5;
    private static final double WARM = 2, SECONDS = 0.3;

    public static void main(String[] shapes) {
        for (String shape : shapes) {
            String[] parts = shape.split(",");
            System.out.printf("RESULT %s %.0f%n", shape, rate(Integer.parseInt(parts[0]), Integer.parseInt(parts[1])));
        }
    }

    private static double rate(int dimension, int count) {
        Random chance = new Random(1000L * dimension + count);
        double[][] centres = new double[count][dimension];
        for (double[] centre : centres)
            for (int d = 0; d < dimension; d++) centre[d] = chance.nextGaussian() * 4 / Math.sqrt(2.0 * dimension);
        double[][] rows = new double[SIZE * MINIBATCHES][dimension];
        for (double[] row : rows) {
            double[] centre = centres[chance.nextInt(count)];
            for (int d = 0; d < dimension; d++) row[d] = centre[d] + chance.nextGaussian();
        }

        double[] counts = new double[count];
        for (double start = clock(); clock() - start < WARM;) pass(rows, centres, counts);
        double[] samples = new double[SAMPLES];
        for (int at = 0; at < SAMPLES; at++) {
            double start = clock(), taken;
            int passes = 0;
            do {
                pass(rows, centres, counts);
                passes++;
                taken = clock() - start;
            } while (taken < SECONDS);
            samples[at] = (double) passes * rows.length / taken;
        }

        Arrays.sort(samples);
        return samples[SAMPLES / 2];
    }

    private static void pass(double[][] rows, double[][] centres, double[] counts) {
        for (int first = 0; first < rows.length; first += SIZE) update(rows, first, centres, counts);
    }

    private static void update(double[][] rows, int first, double[][] centres, double[] counts) {
        int count = centres.length, dimension = centres[0].length;
        double[] norms = new double[count], taken = new double[count];
        double[][] sums = new double[count][dimension];
        for (int k = 0; k < count; k++) norms[k] = dot(centres[k], centres[k]);
        for (int at = first; at < first + SIZE; at++) {
            double[] row = rows[at];
            int nearest = 0;
            double least = Double.POSITIVE_INFINITY;
            for (int k = 0; k < count; k++) {
                double distance = norms[k] - 2 * dot(row, centres[k]);
                if (distance < least) {
                    least = distance;
                    nearest = k;
                }
            }

            double[] sum = sums[nearest];
            for (int d = 0; d < dimension; d++) sum[d] += row[d];
            taken[nearest]++;
        }

        for (int k = 0; k < count; k++) {
            if (taken[k] == 0) continue;
            counts[k] += taken[k];
            for (int d = 0; d < dimension; d++) centres[k][d] += (sums[k][d] / taken[k] - centres[k][d]) * taken[k] / counts[k];
        }
    }

    private static double dot(double[] one, double[] other) {
        double sum = 0;
        for (int d = 0; d < one.length; d++) sum += one[d] * other[d];
        return sum;
    }

    /** CPU seconds of this thread. */
    private static double clock() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() * 1e-9;
    }
}
