package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.NormOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ExpertWeight;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerNorm;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.RmsNorm;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.LayerCopy;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.ModelTensors;
import io.peft4j.models.architecture.Places;
import io.peft4j.models.architecture.WeightLoader;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The places of a decoder. */
final class ModulePlaces extends Places {
    private static final float STATE_EPSILON = 1e-6f;

    private final DecoderPlan plan;
    private final Set<String> ignored = new HashSet<>();

    /**
     * Places of a network.
     *
     * @param checkpointName what a checkpoint calls a tensor of the network
     */
    ModulePlaces(DecoderPlan plan, WeightLoader weights, UnaryOperator<String> checkpointName) {
        super(weights, name -> tensor(weights, plan.names().aliases(), checkpointName.apply(name)));
        this.plan = plan;
    }

    @Override
    public Slot linear(String path, int out, int in, boolean bias) {
        return plan.storedTransposed() ? counted(path, new Linear(
                weights.transposedLinear(stored(path + ".weight"), out, in),
                bias ? Optional.of(weights.vector(stored(path + ".bias"), out)) : Optional.empty(), true))
                : super.linear(path, out, in, bias);
    }

    /** A norm of the network's kind over {@code size} elements. */
    Slot norm(String path, int size) {
        INDArray weight = vector(path + ".weight", size);
        NormPlan norm = plan.norm();
        return place(path, switch (norm.kind()) {
            case RMS -> new RmsNorm(weight, norm.epsilon(), norm.offset());
            case LAYER ->
                new LayerNorm(weight, vector(path + ".bias", size, norm.bias()), norm.epsilon(), norm.offset());
        });
    }

    /** A layer norm without a bias of each head's {@code size} elements. */
    Slot headNorms(String path, int heads, int size) {
        return containing(path, () -> new HeadwiseNorm(IntStream.range(0, heads).mapToObj(head -> place(
                path + ".norms." + head, new LayerNorm(vector(path + ".norms." + head + ".weight", size),
                        Optional.empty(), plan.norm().epsilon())))
                .toList()));
    }

    /** The output layer, whose weight is the embedding's where both are one. */
    Slot head(Optional<FrozenWeight> tied) {
        String path = plan.names().head();
        DecoderPlan.Sizes sizes = plan.sizes();
        return place(path, new Linear(tied.orElseGet(() -> matrix(path, sizes.vocabulary(), sizes.hidden())),
                vector(path + ".bias", sizes.vocabulary(), plan.ends().headBias())));
    }

    /** The experts of a layer: a place for each of their two matrices, the gates first. */
    List<Slot> experts(String path, ExpertsPlan experts) {
        ExpertFiles files = new ExpertFiles(experts, plan.sizes().hidden());
        return Stream.of(ExpertFiles.GATES, ExpertFiles.DOWN).map(name -> {
            INDArray weight = files.matrix(weights, path, name, this::stored);
            Optional<INDArray> bias = experts.bias() ? Optional.of(files.bias(weights, path, name, this::stored))
                    : Optional.empty();
            count(weight.length() + bias.map(INDArray::length).orElse(0L));
            return place(path + "." + name, new ExpertWeight(weight, experts.count(), bias, files.storedRows(name)));
        }).toList();
    }

    /** What makes keys without positions and values of the state of latent attention. */
    Slot keyValue(String path, LatentFiles files) {
        int rows = files.heads() * (files.plain() + files.value());
        if (!LatentFiles.areApart(weights, path, this::stored)) {
            return linear(path, rows, files.rank(), false);
        }
        return counted(path, new Linear(new DenseWeight(files.matrix(weights, path, this::stored)), Optional.empty()));
    }

    /** What chooses experts. */
    Slot router(String path, int count, ExpertsPlan.RouterPlan router) {
        FrozenWeight weight = matrix(path, count, plan.sizes().hidden());
        Optional<INDArray> bias = vector(path + ".bias", count, router.bias());
        // Not trained, and not counted: how often an expert was chosen when the model was made.
        Optional<INDArray> correction = router.groups().filter(ExpertsPlan.Groups::corrected)
                .map(groups -> weights.vector(stored(path + "." + Router.CORRECTION), count));
        return place(path, new Router(weight, bias, correction));
    }

    /** A vector that the layer around it reads, under the name of its place. */
    Slot vectorAt(String path, int size) {
        return place(path, new FrozenVector(vector(path, size)));
    }

    /** A number that what a layer gives is multiplied with; not trained, and not counted. */
    Slot scalar(String path) {
        return place(path, new FrozenVector(weights.vector(stored(path), 1)));
    }

    /** A table that is left in the file. */
    FrozenWeight lookedUp(String path, int rows, int columns) {
        count((long) rows * columns);
        return weights.lookedUp(stored(path + ".weight"), rows, columns);
    }

    /** Notes that a tensor which some checkpoints have is not part of the computation. */
    void ignore(String name) {
        ignored.add(stored(name));
    }

    /** Tensors of the checkpoint that are no part of the computation. */
    Set<String> ignored() {
        return ignored;
    }

    /** An RMS norm of each group of columns. */
    Slot groupedNorm(String path, int size, int groups) {
        INDArray weight = vector(path + ".weight", size);
        return place(path, groups == 1 ? new RmsNorm(weight, plan.norm().epsilon())
                : GroupedNorm.of(weight, groups, plan.norm().epsilon()));
    }

    /** An RMS norm with the network's epsilon, whose weight is used as it is. */
    Slot plainNorm(String path, int size) {
        return place(path, new RmsNorm(vector(path + ".weight", size), plan.norm().epsilon()));
    }

    /** A causal convolution of each of {@code width} columns. */
    Slot convolution(String path, int width, int taps, boolean bias) {
        count((long) width * taps);
        return place(path,
                new DepthwiseConvolution(weights.floats(stored(path + ".weight"), new long[] {width, 1, taps},
                        width, taps), vector(path + ".bias", width, bias)));
    }

    /** A norm of the state of latent attention, whose epsilon is that of Transformers' norms by default. */
    Slot stateNorm(String path, int size) {
        return place(path, new RmsNorm(vector(path + ".weight", size), STATE_EPSILON));
    }

    private static String tensor(WeightLoader weights, Map<String, String> aliases, String name) {
        return weights.has(name) ? name : aliases.entrySet().stream().filter(alias -> name.startsWith(alias.getKey()))
                .map(alias -> alias.getValue() + name.substring(alias.getKey().length())).filter(weights::has)
                .findFirst().orElse(name);
    }

    /** A linear layer that was made elsewhere. */
    Slot counted(String path, Linear layer) {
        count((long) layer.outFeatures() * layer.inFeatures() + (layer.bias().isPresent()
                ? layer.outFeatures() : 0));
        return place(path, layer);
    }

    /** A norm for each head: x, y [N, heads x D]. */
    private record HeadwiseNorm(List<Slot> norms) implements LayerCopy.Part {
        @Override
        public Layer copy(LayerCopy copy) {
            return new HeadwiseNorm(norms.stream().map(copy::of).toList());
        }

        @Override
        public Variable forward(ForwardContext context, Variable x) {
            return forward(context, x, 0, norms.size());
        }

        /**
         * The heads from {@code first} to before {@code end}, put together by halves so that few columns are copied.
         */
        private Variable forward(ForwardContext context, Variable x, int first, int end) {
            if (end - first == 1) {
                int size = x.columns() / norms.size();
                return norms.get(first).forward(context, ColumnOps.slice(context.tape(), x, first * size, end * size));
            }
            int middle = (first + end) / 2;
            return ColumnOps.concat(context.tape(), forward(context, x, first, middle),
                    forward(context, x, middle, end));
        }
    }

    /**
     * A frozen RMS norm of each group of columns separately, with a weight for each column: x, y [N, H], weight [H].
     *
     * @param ones as many as a group has columns
     */
    private record GroupedNorm(INDArray weight, INDArray ones, float epsilon) implements Layer, ModelTensors {
        static GroupedNorm of(INDArray weight, int groups, float epsilon) {
            float[] ones = new float[Math.toIntExact(weight.length()) / groups];
            java.util.Arrays.fill(ones, 1);
            return new GroupedNorm(weight, Arrays.of(ones, ones.length), epsilon);
        }

        @Override
        public Variable forward(ForwardContext context, Variable x) {
            Tape tape = context.tape();
            return ScaleOps.columns(tape, NormOps.rmsNorm(tape, x, tape.constant(ones), epsilon),
                    tape.constant(weight));
        }

        @Override
        public List<ModelTensor> tensors(String path) {
            return List.of(FrozenVector.tensor(path + ".weight", weight));
        }
    }
}
