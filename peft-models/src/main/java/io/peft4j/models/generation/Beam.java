package io.peft4j.models.generation;

import io.peft4j.core.model.Beams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** The beam search for one prompt: which answers are followed, and which have ended. */
final class Beam {
    private final Beams options;
    private final Set<Integer> stopTokens;
    private final int maxNewTokens;
    private List<Path> followed;
    private final List<Path> ended = new ArrayList<>();
    private boolean running = true;

    /**
     * A part of an answer.
     *
     * @param tokens the new tokens
     * @param rows for each of its tokens but the last one, and for the prompt, the row of the cache
     * @param score the sum of its log-probabilities; of one that has ended, over its length as the options say
     */
    record Path(int[] tokens, int[] rows, double score) {
        private Path with(int token, double newScore) {
            int[] longer = Arrays.copyOf(tokens, tokens.length + 1);
            longer[tokens.length] = token;
            return new Path(longer, rows, newScore);
        }

        Path inRow(int row) {
            int[] longer = Arrays.copyOf(rows, rows.length + 1);
            longer[rows.length] = row;
            return new Path(tokens, longer, score);
        }

        int last() {
            return tokens[tokens.length - 1];
        }
    }

    /** A continuation: path {@code path} with one more token. */
    private record Candidate(int path, int token, double score) {
    }

    Beam(Beams options, Set<Integer> stopTokens, int maxNewTokens, int[] promptRows) {
        this.options = options;
        this.stopTokens = stopTokens;
        this.maxNewTokens = maxNewTokens;
        this.followed = List.of(new Path(new int[0], promptRows, 0));
    }

    boolean isRunning() {
        return running;
    }

    List<Path> followed() {
        return followed;
    }

    Path best() {
        return ended.get(0);
    }

    /** Notes the cache rows that the last tokens of the paths got. */
    void inRows(int[] rows) {
        List<Path> placed = new ArrayList<>();
        for (int i = 0; i < rows.length; i++) {
            placed.add(followed.get(i).inRow(rows[i]));
        }
        followed = placed;
    }

    /** Continues by a token; {@code logits} has a row for each path. */
    void advance(List<float[]> logits) {
        List<Candidate> best = candidates(logits, Math.max(2, 1 + stopTokens.size()) * options.count());
        int length = followed.get(0).tokens().length + 1;
        boolean last = length == maxNewTokens;
        List<Path> next = new ArrayList<>();
        boolean full = ended.size() == options.count() && options.stopping() == Beams.Stopping.FIRST;
        for (int rank = 0; rank < best.size(); rank++) {
            Candidate candidate = best.get(rank);
            Path path = followed.get(candidate.path()).with(candidate.token(), candidate.score());
            if (!last && !stopTokens.contains(candidate.token())) {
                if (next.size() < options.count()) {
                    next.add(path);
                }
            } else if (rank < options.count() && !full) {
                ended.add(new Path(path.tokens(), path.rows(), path.score() / penalty(length)));
            }
        }
        ended.sort(Comparator.comparingDouble(Path::score).reversed());
        if (ended.size() > options.count()) {
            ended.subList(options.count(), ended.size()).clear();
        }
        followed = next;
        running = !last && !next.isEmpty() && canImprove(length);
    }

    private double penalty(int length) {
        return Math.pow(length, options.lengthPenalty());
    }

    private boolean canImprove(int length) {
        if (ended.size() < options.count()) {
            return true;
        }
        int reached = options.stopping() == Beams.Stopping.NEVER && options.lengthPenalty() > 0 ? maxNewTokens : length;
        return options.stopping() != Beams.Stopping.FIRST
                && followed.get(0).score() / penalty(reached) > ended.get(ended.size() - 1).score();
    }

    private List<Candidate> candidates(List<float[]> logits, int count) {
        List<Candidate> all = new ArrayList<>();
        for (int path = 0; path < logits.size(); path++) {
            float[] row = logits.get(path);
            double normalizer = Logits.logSumExp(row);
            double before = followed.get(path).score();
            int number = path;
            for (int token : largest(row, count)) {
                all.add(new Candidate(number, token, before + row[token] - normalizer));
            }
        }
        all.sort(Comparator.comparingDouble(Candidate::score).reversed());
        return all.subList(0, Math.min(count, all.size()));
    }

    /** The tokens with the largest logits; of equal ones the first. */
    private static int[] largest(float[] row, int count) {
        int[] best = new int[Math.min(count, row.length)];
        int size = 0;
        for (int token = 0; token < row.length; token++) {
            if (size == best.length && row[token] <= row[best[size - 1]]) {
                continue;
            }
            int at = size < best.length ? size++ : size - 1;
            while (at > 0 && row[best[at - 1]] < row[token]) {
                best[at] = best[at - 1];
                at--;
            }
            best[at] = token;
        }
        return best;
    }
}
