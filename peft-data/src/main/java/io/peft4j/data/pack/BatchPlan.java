package io.peft4j.data.pack;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Which sequences each batch of an epoch holds. Every sequence is in exactly one batch. The plan depends on the
 * sequences, the options and the epoch alone.
 */
@Internal(shared = true)
public final class BatchPlan {
    private final List<TokenSequence> sequences;
    private final PackOptions options;
    private final SplittableRandom random;

    private BatchPlan(List<TokenSequence> sequences, PackOptions options, int epoch) {
        this.sequences = sequences;
        this.options = options;
        this.random = new SplittableRandom(Seeds.mix(options.seed(), epoch));
    }

    /**
     * The batches of an epoch, in their order; each holds numbers of sequences.
     *
     * @throws ConfigurationException when there is no sequence, or one is longer than a batch may be
     */
    public static List<int[]> of(List<TokenSequence> sequences, PackOptions options, int epoch) {
        if (sequences.isEmpty()) {
            throw new ConfigurationException("no sequences to batch");
        }
        for (int i = 0; i < sequences.size(); i++) {
            if (sequences.get(i).length() > options.tokens()) {
                throw new ConfigurationException("sequence " + (i + 1) + " has " + sequences.get(i).length()
                        + " tokens, more than the " + options.tokens() + " of a batch; raise the limit or "
                        + "remove the sequence");
            }
        }
        return new BatchPlan(sequences, options, epoch).batches();
    }

    private List<int[]> batches() {
        int[] order = shuffled(IntStream.range(0, sequences.size()).toArray());
        List<Bin> bins = switch (options.strategy()) {
            case IN_ORDER -> inOrder(order);
            case BEST_FIT -> bestFit(sorted(order, Comparator.comparingInt(i -> -length(i))));
            case LENGTH_BUCKETS -> inOrder(sorted(order, Comparator.comparingInt(i -> -length(i))));
            case SHARED_PREFIXES -> inOrder(sorted(order, this::compareIds));
        };
        List<int[]> batches = bins.stream().map(Bin::members).toList();
        if (options.strategy() == PackOptions.Strategy.IN_ORDER) {
            return batches;
        }
        int[] places = shuffled(IntStream.range(0, batches.size()).toArray());
        return Arrays.stream(places).mapToObj(batches::get).toList();
    }

    private int length(int sequence) {
        return sequences.get(sequence).length();
    }

    /** By content, so that what begins alike is adjacent; equal beginnings keep the shuffled order. */
    private int compareIds(int a, int b) {
        return Arrays.compare(sequences.get(a).ids(), sequences.get(b).ids());
    }

    private int[] shuffled(int... numbers) {
        return options.shuffle() ? Seeds.shuffled(random, numbers) : numbers;
    }

    private static int[] sorted(int[] order, Comparator<Integer> by) {
        return Arrays.stream(order).boxed().sorted(by).mapToInt(Integer::intValue).toArray();
    }

    private List<Bin> inOrder(int... order) {
        List<Bin> bins = new ArrayList<>();
        Bin open = new Bin();
        for (int sequence : order) {
            if (!open.fits(sequence)) {
                bins.add(open);
                open = new Bin();
            }
            open.add(sequence);
        }
        if (!open.list.isEmpty()) {
            bins.add(open);
        }
        return bins;
    }

    /** Bins by the room that is left in them: the smallest that suffices takes the sequence. */
    private List<Bin> bestFit(int... order) {
        TreeMap<Integer, List<Bin>> byRoom = new TreeMap<>();
        List<Bin> bins = new ArrayList<>();
        for (int sequence : order) {
            Map.Entry<Integer, List<Bin>> entry = byRoom.ceilingEntry(length(sequence));
            Bin bin;
            if (entry == null) {
                bin = new Bin();
                bins.add(bin);
            } else {
                bin = entry.getValue().remove(entry.getValue().size() - 1);
                if (entry.getValue().isEmpty()) {
                    byRoom.remove(entry.getKey());
                }
            }
            bin.add(sequence);
            if (bin.list.size() < options.sequences()) {
                byRoom.computeIfAbsent((int) (options.tokens() - bin.tokens), room -> new ArrayList<>()).add(bin);
            }
        }
        return bins;
    }

    private final class Bin {
        private final List<Integer> list = new ArrayList<>();
        private long tokens;

        boolean fits(int sequence) {
            return list.isEmpty() || list.size() < options.sequences()
                    && tokens + added(sequence) <= options.tokens();
        }

        void add(int sequence) {
            tokens += added(sequence);
            list.add(sequence);
        }

        /** What a sequence adds: its tokens, without the longest beginning that it shares with the one before. */
        private int added(int sequence) {
            boolean shared = options.sharePrefixes() && !list.isEmpty()
                    && options.strategy() == PackOptions.Strategy.SHARED_PREFIXES;
            if (!shared) {
                return length(sequence);
            }
            int[] ids = sequences.get(sequence).ids();
            int differs = Arrays.mismatch(ids, sequences.get(list.get(list.size() - 1)).ids());
            // Two equal sequences still cost one row each: the last token is computed for both.
            int common = differs < 0 ? ids.length - 1 : differs;
            return Math.max(1, ids.length - common);
        }

        int[] members() {
            return list.stream().mapToInt(Integer::intValue).toArray();
        }
    }
}
