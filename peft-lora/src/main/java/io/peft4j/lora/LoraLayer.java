package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.LowRankUpdate;
import io.peft4j.core.peft.MergedLayer;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * LoRA on a linear layer (<a href="https://arxiv.org/abs/2106.09685">2106.09685</a>):
 * {@code y = base(x) + s * ((dropout(x) A^T) B^T + b)}: x [N, in], y [N, out], A [r, in], B [out, r], and b [out] where
 * {@code lora_bias} is on. {@code r * (in + out)} parameters, {@code out} more with b.
 *
 * <p>Merged: {@code W + s * B A}.
 */
final class LoraLayer implements AdapterLayer {
    private final Slot slot;
    private final float dropout;
    private final double scaling;
    private final AdapterTensor a;
    private final AdapterTensor b;
    private final Optional<AdapterTensor> bias;

    LoraLayer(AdapterSetup setup, Slot slot, LoraConfig config, int rank, double scaling) {
        Linear linear = (Linear) slot.layer();
        int in = linear.inFeatures();
        int out = linear.outFeatures();
        Initialization start = config.initialization();
        this.slot = slot;
        this.dropout = (float) config.dropout();
        this.scaling = scaling;
        this.a = setup.tensor(slot, "lora_A.weight", start.a(rank, in), rank, in);
        this.b = setup.tensor(slot, "lora_B.weight", start.b(rank), out, rank);
        this.bias = config.loraBias() ? Optional.of(setup.tensor(slot, "lora_B.bias", start.b(rank), out))
                : Optional.empty();
    }

    @Override
    public Slot slot() {
        return slot;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable input = context.isTraining() && dropout > 0
                ? ElementwiseOps.dropout(tape, x, dropout, context.nextDropoutSeed()) : x;
        y = MatrixOps.addLowRank(tape, y, input, tape.parameter(a.parameter()), tape.parameter(b.parameter()),
                (float) scaling);
        return bias.isEmpty() ? y : MatrixOps.addBias(tape, y,
                ElementwiseOps.scale(tape, tape.parameter(bias.get().parameter()), (float) scaling));
    }

    @Override
    public List<AdapterTensor> tensors() {
        return Stream.concat(Stream.of(a, b), bias.stream()).toList();
    }

    @Override
    public Optional<LowRankUpdate> lowRankUpdate() {
        return bias.isPresent() ? Optional.empty() : Optional.of(new LowRankUpdate(a, b, scaling, false));
    }

    @Override
    public boolean hasDropout() {
        return dropout > 0;
    }

    @Override
    public Optional<String> mergeObstacle() {
        return bias.isPresent() && ((Linear) slot.layer()).bias().isEmpty()
                ? Optional.of("lora_bias is on and the base layer has no bias to take it") : Optional.empty();
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        LowRank.add(copy.weight(), b.parameter().value(), a.parameter().value(), scaling);
        bias.ifPresent(trained -> {
            float[] sum = Arrays.toFloats(copy.bias().orElseThrow());
            float[] change = Arrays.toFloats(trained.parameter().value());
            for (int i = 0; i < sum.length; i++) {
                sum[i] = (float) (sum[i] + scaling * change[i]);
            }
            Arrays.write(copy.bias().orElseThrow(), 0, sum, 0, sum.length);
        });
    }
}
