package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.CachedValue;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.IntPredicate;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * BOFT on a linear layer (<a href="https://arxiv.org/abs/2311.06243">2311.06243</a>): {@code y = ((x R) W^T) * s + b}:
 * x [N, in], s [out, 1] and {@code R = F_(m-1) ... F_0} with {@code F_i = P_i D_i P_i^T}: P_i a permutation
 * ({@link Butterfly}), D_i block-diagonal with blocks [B, B], which are the Cayley transforms of
 * {@code (A - A^T) / 2}. The matrices A are trained, [m, in / B, B, B].
 *
 * <p>Merged: row o is {@code s[o] * W[o] R^T}; the bias stays.
 */
final class BoftLayer extends AbstractAdapterLayer {
    /** The tensor of all factors' blocks. */
    static final String BLOCKS = "boft_R";

    private final double dropout;
    private final Butterfly butterfly;
    private final Rotations rotations;
    private final AdapterTensor blocks;
    private final AdapterTensor scale;
    private final CachedValue remembered = new CachedValue();
    private Optional<AdapterTensor> trainedBias = Optional.empty();

    BoftLayer(AdapterSetup setup, Slot slot, BoftConfig config) {
        super(slot);
        Linear linear = linear();
        this.dropout = config.dropout();
        this.butterfly = Butterfly.of(linear.inFeatures(), config, slot.path());
        int size = butterfly.size();
        this.rotations = Rotations.fromSquare(size, s -> Cayley.exact(s, size),
                (s, g) -> Cayley.exactGradient(s, g, size));
        this.blocks = setup.tensor(slot, BLOCKS, config.initWeights() ? Initializer.ZEROS : Initializer.normal(0.1),
                butterfly.factors(), butterfly.blocks(), size, size);
        this.scale = setup.tensor(slot, "boft_s", config.initWeights() ? Initializer.ONES : nearOne(),
                linear.outFeatures(), 1);
    }

    private static Initializer nearOne() {
        return Initializer.normal(0.1).then(values -> {
            for (int i = 0; i < values.length; i++) {
                values[i] += 1;
            }
            return values;
        });
    }

    @Override
    public void useBias(AdapterTensor bias) {
        trainedBias = Optional.of(bias);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable all = rotations.on(tape, tape.parameter(blocks.parameter()),
                context.isTraining() ? Optional.empty() : Optional.of(remembered), dropped(context));
        Variable rotated = x;
        for (int i = butterfly.factors() - 1; i >= 0; i--) {
            rotated = rotate(context, rotated, all, i);
        }
        Variable s = tape.parameter(scale.parameter());
        Variable y = ScaleOps.columns(tape, base.forward(context, rotated), s);
        Optional<INDArray> bias = linear().bias();
        if (bias.isEmpty()) {
            return y;
        }
        Variable b = trainedBias.isPresent() ? tape.parameter(trainedBias.get().parameter())
                : tape.constant(bias.get());
        return MatrixOps.addBias(tape, y, SmallOps.rest(tape, b, s));
    }

    private Variable rotate(ForwardContext context, Variable x, Variable all, int factor) {
        Tape tape = context.tape();
        int rows = butterfly.blocks() * butterfly.size();
        Variable own = butterfly.factors() == 1 ? all
                : SmallOps.rows(tape, all, factor * rows, (factor + 1) * rows);
        if (butterfly.factors() == 1) {
            return BlockMatrices.rotate(tape, x, own, context.isTraining());
        }
        int[] places = butterfly.places(factor);
        Variable moved = BlockMatrices.permute(tape, x, BlockMatrices.inverse(places));
        return BlockMatrices.permute(tape, BlockMatrices.rotate(tape, moved, own, context.isTraining()), places);
    }

    /** In training some blocks of one factor are the identity, both drawn again for each pass. */
    private IntPredicate dropped(ForwardContext context) {
        if (dropout == 0 || !context.isTraining()) {
            return block -> false;
        }
        SplittableRandom random = new SplittableRandom(context.nextDropoutSeed());
        int factor = random.nextInt(butterfly.factors());
        boolean[] drawn = new boolean[butterfly.factors() * butterfly.blocks()];
        for (int left = (int) (dropout * butterfly.blocks()); left > 0;) {
            int block = factor * butterfly.blocks() + random.nextInt(butterfly.blocks());
            left -= drawn[block] ? 0 : 1;
            drawn[block] = true;
        }
        return block -> drawn[block];
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(blocks, scale);
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        float[] all = rotations.values(blocks.parameter().value(), block -> false);
        int length = all.length / butterfly.factors();
        INDArray weight = copy.weight();
        for (int i = 0; i < butterfly.factors(); i++) {
            float[] own = java.util.Arrays.copyOfRange(all, i * length, (i + 1) * length);
            int[] places = butterfly.places(i);
            BlockMatrices.permute(weight, BlockMatrices.inverse(places), weight, false);
            BlockMatrices.multiply(weight, own, butterfly.size(), true, weight, false);
            BlockMatrices.permute(weight, places, weight, false);
        }
        float[] values = Arrays.toFloats(weight);
        float[] factors = Arrays.toFloats(scale.parameter().value());
        int columns = Arrays.columns(weight);
        for (int i = 0; i < values.length; i++) {
            values[i] *= factors[i / columns];
        }
        Arrays.write(weight, 0, values, 0, values.length);
    }

    /**
     * The places of a butterfly's factors: the blocks of factor i do not take neighbours but elements that are
     * {@code 2^i B / 2} apart.
     *
     * @param blocks number of blocks of a factor
     * @param size B
     * @param factors m
     */
    private record Butterfly(int blocks, int size, int factors) {
        /**
         * For a layer with {@code in} input features.
         *
         * @throws ConfigurationException when blocks or factors do not fit it
         */
        static Butterfly of(int in, BoftConfig config, String path) {
            int given = config.blockSize() > 0 ? config.blockSize() : config.blocks();
            if (in % given != 0) {
                throw new ConfigurationException(path + " has " + in + " input features, which "
                        + (config.blockSize() > 0 ? "boft_block_size " : "boft_block_num ") + given
                        + " does not divide");
            }
            int size = config.blockSize() > 0 ? given : in / given;
            int blocks = in / size;
            int further = config.factors() - 1;
            if (further > 0 && (blocks % (1L << further) != 0 || size % 2 != 0)) {
                throw new ConfigurationException(path + " has " + blocks + " blocks of size " + size
                        + "; boft_n_butterfly_factor " + config.factors() + " needs a multiple of " + (1L << further)
                        + " blocks of an even size");
            }
            return new Butterfly(blocks, size, config.factors());
        }

        /** For each place r the place that factor {@code i} takes its element to: {@code P[r, places[r]] = 1}. */
        int[] places(int i) {
            int in = blocks * size;
            int[] places = new int[in];
            int half = size / 2;
            int group = factors == 1 ? in : in / (blocks >> i);
            for (int place = 0; place < in; place++) {
                places[place] = factors == 1 ? place : place - place % group + sorted(place % group, group, half);
            }
            return places;
        }

        /** Pieces of {@code piece} elements: the even ones of a group come first, then the odd ones. */
        private static int sorted(int place, int group, int piece) {
            int pieces = group / piece;
            int even = (pieces + 1) / 2;
            int number = place / piece;
            int source = number < even ? 2 * number : 2 * (number - even) + 1;
            return source * piece + place % piece;
        }
    }
}
