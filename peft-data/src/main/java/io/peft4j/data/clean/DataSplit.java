package io.peft4j.data.clean;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.Groups;
import io.peft4j.data.near.Overlap;
import io.peft4j.data.near.Relations;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Decides which part each example comes into. Examples are added one by one; of each only numbers are kept (and with
 * {@link SplitRule.Grouping#NEAR} and {@code FACT} some 250 bytes and its text in a temporary file).
 */
@Internal
public final class DataSplit implements AutoCloseable {
    private final SplitRule rule;
    private final Corpus corpus = new Corpus();
    private final Map<String, Integer> fields = new HashMap<>();
    private final Map<String, Integer> strata = new HashMap<>();
    private final List<String> times = new ArrayList<>();
    private long[] hashes = new long[1024];
    private int[] fieldOf = new int[1024];
    private int[] stratumOf = new int[1024];
    private int size;
    private Optional<Groups> groups = Optional.empty();

    /** Nothing yet. */
    public DataSplit(SplitRule rule) {
        this.rule = rule;
    }

    /** What the split needs of an example; may be computed by many threads at once. */
    public record Item(List<Corpus.Features> features, long hash, Optional<String> field, Optional<String> stratum,
            Optional<String> time) {
    }

    /**
     * Splits a list.
     *
     * @return the parts, each in the order of the list; together they hold every example once
     * @throws ConfigurationException when an example lacks a field that the rule names
     */
    public static <T extends Example> List<List<T>> split(List<T> examples, SplitRule rule) {
        try (DataSplit split = new DataSplit(rule)) {
            examples.forEach(example -> split.add(split.item(example)));
            int[] parts = split.parts();
            List<List<T>> lists = new ArrayList<>();
            rule.ratios().forEach(ratio -> lists.add(new ArrayList<>()));
            for (int i = 0; i < parts.length; i++) {
                lists.get(parts[i]).add(examples.get(i));
            }
            return lists;
        }
    }

    /**
     * Looks at an example.
     *
     * @throws ConfigurationException when it lacks a field that the rule names
     */
    public Item item(Example example) {
        boolean grouped = rule.grouping() == SplitRule.Grouping.NEAR || rule.grouping() == SplitRule.Grouping.FACT;
        boolean compared = grouped || rule.order() == SplitRule.Order.HASH;
        Optional<Corpus.Features> features = compared ? Optional.of(Corpus.Features.of(example)) : Optional.empty();
        List<Corpus.Features> asked = !grouped ? List.of() : rule.grouping() == SplitRule.Grouping.FACT
                ? List.of(features.orElseThrow()) : Overlap.questions(example, features.orElseThrow());
        Function<String, String> value = name -> field(example, name);
        return new Item(asked, features.map(Corpus.Features::topicKey).orElse(0L),
                rule.field().map(value), rule.stratify().map(value), rule.time().map(value));
    }

    private static String field(Example example, String name) {
        if (example instanceof ClassificationExample row && name.equals("label")) {
            return row.label();
        }
        Object value = example.extra().get(name);
        if (value == null) {
            throw new ConfigurationException(example.origin() + " has no field \"" + name + "\", only "
                    + example.extra().keySet());
        }
        return value.toString();
    }

    /** Adds an example. */
    public void add(Item item) {
        if (size == hashes.length) {
            hashes = Arrays.copyOf(hashes, 2 * size);
            fieldOf = Arrays.copyOf(fieldOf, 2 * size);
            stratumOf = Arrays.copyOf(stratumOf, 2 * size);
        }
        int last = item.features().size() - 1;
        for (int i = 0; i <= last; i++) {
            corpus.add(i == last ? 1 : 0, size, item.features().get(i));
        }
        hashes[size] = item.hash();
        fieldOf[size] = number(fields, item.field());
        stratumOf[size] = number(strata, item.stratum());
        item.time().ifPresent(times::add);
        size++;
    }

    private static int number(Map<String, Integer> numbers, Optional<String> value) {
        return value.map(v -> numbers.computeIfAbsent(v, k -> numbers.size())).orElse(0);
    }

    /**
     * The number of the part of each example, in the order in which they were added.
     *
     * @throws ConfigurationException when there are fewer examples than parts
     */
    public int[] parts() {
        if (size < rule.ratios().size()) {
            throw new ConfigurationException(size + " examples cannot be split into " + rule.ratios().size()
                    + " parts");
        }
        Groups together = new Groups(size);
        if (rule.grouping() == SplitRule.Grouping.NEAR) {
            together = Overlap.together(corpus, size);
        } else if (rule.grouping() == SplitRule.Grouping.FACT) {
            together = Relations.of(corpus).facts();
        } else if (rule.grouping() == SplitRule.Grouping.FIELD) {
            int[] first = new int[fields.size()];
            Arrays.fill(first, -1);
            for (int i = 0; i < size; i++) {
                int field = fieldOf[i];
                first[field] = first[field] < 0 ? i : first[field];
                together.join(first[field], i);
            }
        }
        groups = Optional.of(together);
        Allocation allocation = new Allocation(rule, together, size);
        return switch (rule.order()) {
            case RANDOM -> allocation.random(stratumOf);
            case TIME -> allocation.sorted(times);
            case HASH -> allocation.hashed(hashes);
        };
    }

    /** The groups that were kept together; empty before {@link #parts}. */
    public Optional<Groups> groups() {
        return groups;
    }

    @Override
    public void close() {
        corpus.close();
    }
}
