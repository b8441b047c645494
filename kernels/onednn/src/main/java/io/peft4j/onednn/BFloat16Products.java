package io.peft4j.onednn;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import io.peft4j.onednn.MatmulSpec.Operand;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * In which type products are computed whose operands are stored in bf16: in bf16 with f32 sums, or widened to f32.
 *
 * <p>An instruction for bf16 is not always the faster way. AMD's Zen 4 and 5 multiply bf16 at twice the rate of f32;
 * Intel's cores without AMX have the same instruction at about half the rate of f32. So both are timed once, in a few
 * milliseconds. {@code -Dpeft4j.onednn.bf16=multiply} and {@code widen} force one way, {@code auto} is the default.
 */
final class BFloat16Products {
    /** The system property that forces a way. */
    static final String PROPERTY = "peft4j.onednn.bf16";

    private static final String AUTO = "auto";
    private static final Logger LOG = LoggerFactory.getLogger(BFloat16Products.class);
    /** A product of fewer rows waits for the weight to come from memory, and widening is what costs. */
    private static final int FEW_ROWS = 8;
    private static final int ROWS = 64;
    private static final int REDUCED = 512;
    private static final int COLUMNS = 256;
    private static final int ROUNDS = 9;

    /** How products of operands that are stored in bf16 are computed. */
    enum Way {
        /** In bf16. */
        MULTIPLY,
        /** In f32: a weight is widened inside the product, the other operand before it. */
        WIDEN,
        /** In f32 after converting both operands: oneDNN has no product that widens on this processor. */
        CONVERT
    }

    private final Way way;
    private final boolean hasInstruction;

    private BFloat16Products(Way way, boolean hasInstruction) {
        this.way = way;
        this.hasInstruction = hasInstruction;
    }

    /** What the system property asks for. */
    static String asked() {
        return System.getProperty(PROPERTY, AUTO).strip().toLowerCase(Locale.ROOT);
    }

    /**
     * The way that is asked for, otherwise the faster one.
     *
     * @param asked a value of the system property
     * @throws ConfigurationException when there is no such value, or it asks for an instruction that is not there
     */
    static BFloat16Products choose(ThreadTeam team, String asked) {
        boolean hasInstruction = DnnlLibrary.multipliesBFloat16();
        return switch (asked) {
            case AUTO, "" -> fastest(team, hasInstruction);
            case "widen" -> logged(widening(team), hasInstruction, "-D" + PROPERTY + "=" + asked);
            case "multiply" -> {
                if (!hasInstruction) {
                    throw new ConfigurationException("-D" + PROPERTY + "=" + asked
                            + ": the processor has no instruction that multiplies bf16; use widen or auto");
                }
                yield logged(Way.MULTIPLY, true, "-D" + PROPERTY + "=" + asked);
            }
            default -> throw new ConfigurationException("-D" + PROPERTY + "=" + asked
                    + " is invalid; use auto, multiply or widen");
        };
    }

    private static BFloat16Products fastest(ThreadTeam team, boolean hasInstruction) {
        if (!hasInstruction) {
            return logged(widening(team), false, "the processor has no instruction for bf16");
        }
        double[] microseconds = new double[2];
        team.alone((lane, task) -> time(lane, microseconds));
        boolean faster = microseconds[0] < microseconds[1];
        return logged(faster ? Way.MULTIPLY : widening(team), true, String.format(Locale.ROOT,
                "a product of %d x %d x %d takes %.0f us in bf16, %.0f us in f32", ROWS, REDUCED, COLUMNS,
                microseconds[0], microseconds[1]));
    }

    private static BFloat16Products logged(Way way, boolean hasInstruction, String why) {
        LOG.info("products of bf16 are computed in {} ({})", way == Way.MULTIPLY ? "bf16" : "f32", why);
        return new BFloat16Products(way, hasInstruction);
    }

    private static Way widening(ThreadTeam team) {
        boolean[] found = new boolean[1];
        team.alone((lane, task) -> found[0] = lane.call(product(DataType.FLOAT, DataType.BFLOAT16)).isPresent());
        return found[0] ? Way.WIDEN : Way.CONVERT;
    }

    /** The shortest of a few times for each type, taken in turn: what disturbs one run does not decide. */
    private static void time(ThreadContext lane, double[] microseconds) {
        Span a = cleared(lane, ROWS * REDUCED);
        Span b = cleared(lane, REDUCED * COLUMNS);
        Span c = cleared(lane, ROWS * COLUMNS);
        DataType[] types = {DataType.BFLOAT16, DataType.FLOAT};
        Arrays.fill(microseconds, Double.POSITIVE_INFINITY);
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < types.length; i++) {
                Optional<CompiledCall> call = lane.call(product(types[i], types[i]));
                if (call.isPresent()) {
                    long begin = System.nanoTime();
                    call.get().run(lane, a.address(), b.address(), c.address());
                    microseconds[i] = Math.min(microseconds[i], (System.nanoTime() - begin) / 1e3);
                }
            }
        }
    }

    private static Span cleared(ThreadContext lane, int elements) {
        Span span = Span.scratch(lane, DataType.FLOAT, elements);
        NativeMemory.clear(span.address(), (long) elements * Float.BYTES);
        return span;
    }

    /** A product with a weight, into the type of the weight. */
    private static MatmulSpec product(DataType type, DataType weight) {
        return new MatmulSpec(Operand.rows(type, REDUCED), Operand.transposed(weight, REDUCED),
                Operand.rows(weight, COLUMNS), ROWS, REDUCED, COLUMNS, 1f, false);
    }

    /** How bf16 compares with f32. */
    BFloat16Speed speed() {
        return switch (way) {
            case MULTIPLY -> BFloat16Speed.FASTER;
            case WIDEN -> BFloat16Speed.SAME;
            case CONVERT -> BFloat16Speed.SLOWER;
        };
    }

    /** Whether an f32 operand may be multiplied with one that stays in bf16. */
    boolean widen() {
        return way == Way.WIDEN;
    }

    /**
     * The type in which products of the given arrays are computed: f32 where all are.
     *
     * @param rows rows of the result
     */
    DataType type(int rows, INDArray... arrays) {
        boolean multiplies = way == Way.MULTIPLY || hasInstruction && rows < FEW_ROWS;
        for (INDArray array : arrays) {
            if (multiplies && array.dataType() == DataType.BFLOAT16) {
                return DataType.BFLOAT16;
            }
        }
        return DataType.FLOAT;
    }

    /** The value of the system property that asks for this way. */
    @Override
    public String toString() {
        return way == Way.MULTIPLY ? "multiply" : "widen";
    }
}
