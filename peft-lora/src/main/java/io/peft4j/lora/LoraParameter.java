package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.nn.ExpertWeight;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.PathPatterns;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LoRA on a parameter that is no layer ({@code target_parameters}): a router, or the weights of E experts, each with an
 * update of its own, {@code y = x W_e^T + s * (x A_e^T) B_e^T}: A [E x r, in] has those of the experts below each
 * other, B [out, r x E] has column k of B_e at {@code k * E + e}, its rows in the order that features have in Hugging
 * Face Transformers. {@code E * r * (in + out)} parameters.
 *
 * <p>Merged: {@code W_e + s * B_e A_e}.
 */
final class LoraParameter extends AbstractAdapterLayer {
    private final Slot stored;
    private final int experts;
    private final int rank;
    private final double scaling;
    /** For each output feature its row in B, none where B's order is that of the features. */
    private final int[] rowsOfB;
    private final AdapterTensor a;
    private final AdapterTensor b;

    /**
     * Made for a parameter.
     *
     * @param stored the path that Hugging Face PEFT names its tensors by
     */
    private LoraParameter(AdapterSetup setup, Slot slot, LoraConfig config, String stored) {
        super(slot);
        this.stored = new Slot(stored, slot.layer());
        WeightedLayer base = (WeightedLayer) slot.layer();
        this.experts = base instanceof ExpertWeight all ? all.experts() : 1;
        this.rowsOfB = base instanceof ExpertWeight all ? all.storedRows() : new int[0];
        int out = Math.toIntExact(base.weightShape()[0]) / experts;
        int in = Math.toIntExact(base.weightShape()[1]);
        String name = parameter(slot);
        this.rank = new PathPatterns<>("rank_pattern", config.rankPattern()).first(name).orElse(config.rank());
        this.scaling = config.scaling(rank, new PathPatterns<>("alpha_pattern", config.alphaPattern()).first(name)
                .orElse(config.alpha()));
        this.a = setup.tensor(this.stored, "lora_A.weight", config.initialization().a(rank, in),
                (long) experts * rank, in);
        this.b = setup.tensor(this.stored, "lora_B.weight", config.initialization().b(rank), out,
                (long) rank * experts);
    }

    /** The layers for the parameters that a configuration names. */
    static List<AdapterLayer> targets(AdapterSetup setup, LoraConfig config) {
        List<Slot> slots = setup.network().slots();
        for (String name : config.targetParameters()) {
            if (slots.stream().noneMatch(slot -> isNamed(slot, name)) && !setup.isRestoring()) {
                throw new TargetModuleException("target_parameters: '" + name + "' matches no parameter; the model has "
                        + slots.stream().filter(slot -> slot.layer() instanceof WeightedLayer layer
                                && layer.isParameter()).map(Slot::path).limit(2).toList());
            }
        }
        Map<String, List<Slot>> byModule = new LinkedHashMap<>();
        slots.stream().filter(slot -> config.targetParameters().stream().anyMatch(name -> isNamed(slot, name)))
                .forEach(slot -> byModule.computeIfAbsent(module(slot), path -> new ArrayList<>()).add(slot));
        List<AdapterLayer> layers = new ArrayList<>();
        byModule.forEach((module, own) -> {
            // PEFT wraps one parameter of a module after the other: the last one is the outermost.
            for (int i = 0; i < own.size(); i++) {
                layers.add(new LoraParameter(setup, own.get(i), config, module
                        + ".base_layer".repeat(own.size() - 1 - i)));
            }
        });
        return layers;
    }

    private static boolean isNamed(Slot slot, String name) {
        return slot.layer() instanceof WeightedLayer layer && layer.matrix().isPresent()
                && (parameter(slot).equals(name) || parameter(slot).endsWith("." + name));
    }

    /** The path of the parameter in Hugging Face Transformers. */
    private static String parameter(Slot slot) {
        return ((WeightedLayer) slot.layer()).isParameter() ? slot.path() : slot.path() + ".weight";
    }

    private static String module(Slot slot) {
        return parameter(slot).substring(0, parameter(slot).lastIndexOf('.'));
    }

    @Override
    public Slot storedAt() {
        return stored;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        int expert = experts == 1 ? 0 : context.expert();
        Variable left = RowOps.gatherRows(tape, tape.parameter(a.parameter()),
                IntStream.range(expert * rank, (expert + 1) * rank).toArray());
        Variable columns = ColumnOps.slice(tape, tape.parameter(b.parameter()), rank, expert, expert + 1);
        Variable right = rowsOfB.length == 0 ? columns : RowOps.gatherRows(tape, columns, rowsOfB);
        return MatrixOps.addLowRank(tape, base.forward(context, x), x, left, right, (float) scaling);
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(a, b);
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        int out = Arrays.rows(b.parameter().value());
        int in = Arrays.columns(a.parameter().value());
        float[] lefts = Arrays.toFloats(b.parameter().value());
        float[] rights = Arrays.toFloats(a.parameter().value());
        for (int e = 0; e < experts; e++) {
            float[] left = new float[out * rank];
            for (int i = 0; i < left.length; i++) {
                int row = rowsOfB.length == 0 ? i / rank : rowsOfB[i / rank];
                left[i] = lefts[(row * rank + i % rank) * experts + e];
            }
            float[] right = java.util.Arrays.copyOfRange(rights, e * rank * in, (e + 1) * rank * in);
            try (INDArray l = Arrays.of(left, out, rank); INDArray r = Arrays.of(right, rank, in)) {
                LowRank.add(Arrays.rowRange(copy.weight(), e * out, (e + 1) * out), l, r, scaling);
            }
        }
    }
}
