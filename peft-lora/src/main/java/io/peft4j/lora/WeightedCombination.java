package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.DerivedAdapter;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.LowRankUpdate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.random.RandomGenerator;

/**
 * A new LoRA adapter out of several on the same model, each with a weight, as Hugging Face PEFT's
 * {@code add_weighted_adapter} makes it. Weights may be negative. The new adapter's alpha is its rank, so that nothing
 * is scaled any more. With one adapter the type is always {@link CombinationType#LINEAR}.
 *
 * <pre>{@code
 * WeightedCombination.of(CombinationType.TIES).adapter("support", 1).adapter("sales", 0.7).density(0.5)
 *         .addTo(model, "both");
 * }</pre>
 *
 * <p>Unlike there, an adapter that is more than products of two matrices (trained copies of layers, biases, DoRA) is
 * refused rather than taken without that part, and rank-stabilized adapters give one that is not.
 */
@Internal(shared = true)
public final class WeightedCombination {
    private final CombinationType asked;
    private final List<Part> parts = new ArrayList<>();
    private double density = Double.NaN;
    private Optional<MajoritySign> majority = Optional.empty();
    private OptionalInt svdRank = OptionalInt.empty();
    private DropMask mask = DropMask.random(new SplittableRandom(0));

    private record Part(String adapter, double weight) {
    }

    private WeightedCombination(CombinationType type) {
        this.asked = type;
    }

    /** A combination of no adapters yet. */
    public static WeightedCombination of(CombinationType type) {
        return new WeightedCombination(type);
    }

    /**
     * Adds an adapter, which may be named several times; the order counts where values are drawn.
     *
     * @throws ConfigurationException when the weight is not a number
     */
    public WeightedCombination adapter(String name, double weight) {
        Checks.finite("the weight of adapter '" + name + "' in a combination", weight);
        parts.add(new Part(name, weight));
        return this;
    }

    /** The share of values that is kept, at least 0; from 1 on all are. Needed by the types that drop values. */
    public WeightedCombination density(double value) {
        density = value;
        return this;
    }

    /** How the sign that counts is elected, in the ties types; default {@link MajoritySign#TOTAL}. */
    public WeightedCombination majoritySign(MajoritySign value) {
        majority = Optional.of(value);
        return this;
    }

    /** The rank of the new adapter in the svd types; default the largest of the adapters'. */
    public WeightedCombination svdRank(int value) {
        svdRank = OptionalInt.of(value);
        return this;
    }

    /** The seed of the draws in the dare types; default 0. */
    public WeightedCombination seed(long value) {
        return mask(DropMask.random(new SplittableRandom(value)));
    }

    /** The draws in the dare types. */
    public WeightedCombination mask(DropMask value) {
        mask = value;
        return this;
    }

    /**
     * Makes the adapter and adds it to the model; what is active does not change.
     *
     * @param model the model that has the adapters
     * @param name the new adapter's name
     * @throws ConfigurationException when there are no adapters, one is not plain LoRA, their ranks differ where they
     *     must not, an option is missing or of no use to the type, or the name is taken
     */
    public void addTo(PeftModel model, String name) {
        Checks.require(!parts.isEmpty(), "a combination needs at least one adapter");
        CombinationType type = parts.size() == 1 ? CombinationType.LINEAR : asked;
        Checks.require(type.pruning() == CombinationType.Pruning.NONE || density >= 0, "the combination type "
                + type.peftName() + " needs a density of at least 0: the share of values that it keeps");
        requireUse(type, "density", !Double.isNaN(density), type.pruning() != CombinationType.Pruning.NONE);
        requireUse(type, "majority sign", majority.isPresent(), type.electsSign());
        requireUse(type, "rank of a decomposition", svdRank.isPresent(), type.decomposes());
        List<Source> sources = new ArrayList<>();
        parts.forEach(part -> sources.add(Source.of(model, part.adapter(), part.weight())));
        TaskArithmetic arithmetic = new TaskArithmetic(type, density, majority.orElse(MajoritySign.TOTAL), mask);
        DerivedAdapter.add(model, name, config(sources, rank(type, sources)),
                made -> made.layers().forEach(layer -> combine(type, arithmetic, sources, layer)));
    }

    private void requireUse(CombinationType type, String setting, boolean given, boolean used) {
        boolean single = parts.size() == 1;
        Checks.require(used || !given, (single ? "with one adapter " : "") + "the combination type is "
                + type.peftName() + ", which does not use a " + setting
                + (single ? "; remove it" : "; remove it, or choose another type"));
    }

    /** An adapter's changes by path. */
    private record Source(String name, LoraConfig config, double weight, Map<String, LowRankUpdate> updates) {
        static Source of(PeftModel model, String name, double weight) {
            if (!(model.adapter(name).config() instanceof LoraConfig config)) {
                throw new ConfigurationException("adapter '" + name + "' cannot be combined: its method is "
                        + model.adapter(name).config().peftType() + "; " + model.adapter(name).layers().stream()
                                .flatMap(layer -> layer.mergeObstacle().stream()).findFirst()
                                .orElse("convert it to LoRA first"));
            }
            Map<String, LowRankUpdate> updates = new LinkedHashMap<>();
            for (AdapterLayer layer : model.adapter(name).layers()) {
                Optional<LowRankUpdate> update = layer.lowRankUpdate();
                if (update.isEmpty()) {
                    throw new ConfigurationException("adapter '" + name + "' cannot be combined: at "
                            + layer.slot().path() + " it is more than a product of two matrices; convert it to "
                            + "LoRA first, without trained copies and biases");
                }
                updates.put(layer.slot().path(), update.get());
            }
            return new Source(name, config, weight, updates);
        }

        /** The largest rank that its configuration gives. */
        int rank() {
            return Math.max(config.rank(), config.rankPattern().values().stream().mapToInt(r -> r).max().orElse(0));
        }
    }

    private int rank(CombinationType type, List<Source> sources) {
        int largest = sources.stream().mapToInt(Source::rank).max().orElseThrow();
        if (type == CombinationType.CAT) {
            return sources.stream().mapToInt(Source::rank).sum();
        }
        if (type.decomposes()) {
            return svdRank.orElse(largest);
        }
        Checks.require(sources.stream().allMatch(source -> source.rank() == largest), "the combination type "
                + type.peftName() + " adds matrices of equal ranks, but the adapters have "
                + sources.stream().map(source -> source.name() + ": " + source.rank()).toList()
                + "; use cat or one of the svd types");
        return largest;
    }

    /** The first adapter's with the targets of all; by path where lists of names would not give just these. */
    private static LoraConfig config(List<Source> sources, int rank) {
        Set<String> paths = new LinkedHashSet<>();
        sources.forEach(source -> paths.addAll(source.updates().keySet()));
        boolean byName = sources.stream().map(Source::config).allMatch(c -> c.targetModules().names().isPresent()
                && c.placement().excludeModules().isUnset() && c.placement().layersToTransform().isEmpty());
        Set<String> names = new TreeSet<>();
        sources.forEach(source -> names.addAll(source.config().targetModules().names().orElse(List.of())));
        // Files of Hugging Face PEFT may have names that match nothing, and a new adapter must not.
        TargetModules targets = TargetModules.of(byName ? names : paths).among(paths);
        return LoraConfig.builder().common(sources.get(0).config().common().withOtherKeys(Map.of()))
                .layerReplication(sources.get(0).config().layerReplication()).rank(rank).alpha(rank)
                .dropout(sources.get(0).config().dropout())
                .targetModules(targets).build();
    }

    private void combine(CombinationType type, TaskArithmetic arithmetic, List<Source> sources, AdapterLayer layer) {
        LowRankUpdate target = layer.lowRankUpdate().orElseThrow();
        List<Source> here = sources.stream().filter(s -> s.updates().containsKey(layer.slot().path())).toList();
        List<LowRankUpdate> updates = here.stream().map(s -> s.updates().get(layer.slot().path())).toList();
        double[] given = here.stream().mapToDouble(Source::weight).toArray();
        if (type == CombinationType.CAT) {
            concatenate(updates, given, target);
        } else if (type.decomposes()) {
            target.setDelta(arithmetic.combine(updates.stream().map(LowRankUpdate::delta).toList(), given));
        } else {
            add(arithmetic, updates, given, target);
        }
    }

    /** The root of each weight goes to A and to B, its sign to A. */
    private static void add(TaskArithmetic arithmetic, List<LowRankUpdate> updates, double[] given,
            LowRankUpdate target) {
        Checks.require(updates.stream().allMatch(update -> update.rank() == updates.get(0).rank()),
                "the adapters have different ranks at one of their layers; use cat or one of the svd types");
        double[] forA = new double[given.length];
        double[] forB = new double[given.length];
        for (int i = 0; i < given.length; i++) {
            double weight = given[i] * updates.get(i).scaling();
            forB[i] = Math.sqrt(Math.abs(weight));
            forA[i] = weight >= 0 ? forB[i] : -forB[i];
        }
        int rank = updates.get(0).rank();
        double[] a = arithmetic.combine(updates.stream().map(u -> Arrays.doubles(u.aValues())).toList(), forA);
        double[] b = arithmetic.combine(updates.stream().map(u -> Arrays.doubles(u.bValues())).toList(), forB);
        target.set(a, b, rank);
    }

    private static void concatenate(List<LowRankUpdate> updates, double[] given, LowRankUpdate target) {
        double[] a = new double[target.rank() * target.inputs()];
        double[] b = new double[target.outputs() * target.rank()];
        int first = 0;
        for (int u = 0; u < updates.size(); u++) {
            LowRankUpdate update = updates.get(u);
            float[] left = update.bValues();
            float[] right = update.aValues();
            double weight = given[u] * update.scaling();
            for (int i = 0; i < right.length; i++) {
                a[first * target.inputs() + i] = weight * right[i];
            }
            for (int i = 0; i < left.length; i++) {
                b[i / update.rank() * target.rank() + first + i % update.rank()] = left[i];
            }
            first += update.rank();
        }
        target.set(a, b, target.rank());
    }

    /**
     * Chooses at random which values are kept. Asked in the order of the layers; for each, for all adapters' A, then
     * for all adapters' B, or for all adapters' products.
     */
    @FunctionalInterface
    public interface DropMask {
        /**
         * Which values are kept.
         *
         * @param values their number
         * @param density probability of each
         */
        boolean[] draw(int values, double density);

        /** Independent draws. */
        static DropMask random(RandomGenerator random) {
            return (values, density) -> {
                boolean[] kept = new boolean[values];
                for (int i = 0; i < values; i++) {
                    kept[i] = random.nextDouble() < density;
                }
                return kept;
            };
        }
    }

    /** How the sign that counts is elected among several adapters' values. */
    public enum MajoritySign {
        /** The sign of their sum; the default. */
        TOTAL,
        /** The sign that most of them have. */
        FREQUENCY
    }
}
