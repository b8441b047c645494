package io.peft4j.train.objective;

/** Softmax and cross-entropy of a few numbers, in double. */
final class CrossEntropy {
    private CrossEntropy() {
    }

    /** The numbers {@code logits[first + i * step]}. */
    record Row(float[] logits, int first, int step, int count) {
        double at(int i) {
            return logits[first + i * step];
        }
    }

    /**
     * {@code weight * (log(sum over i of exp(row[i])) - row[target])}.
     *
     * @param gradient the gradient for each of the row is added where the row's numbers stand
     */
    static double of(Row row, int target, double weight, double[] gradient) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < row.count(); i++) {
            max = Math.max(max, row.at(i));
        }
        double sum = 0;
        for (int i = 0; i < row.count(); i++) {
            sum += Math.exp(row.at(i) - max);
        }
        for (int i = 0; i < row.count(); i++) {
            double probability = Math.exp(row.at(i) - max) / sum;
            gradient[row.first() + i * row.step()] += weight * (probability - (i == target ? 1 : 0));
        }
        return weight * (max + Math.log(sum) - row.at(target));
    }
}
