package io.peft4j.models;

import io.peft4j.core.Internal;
import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import io.peft4j.models.ModelOptions.Precision;
import java.util.List;
import java.util.Locale;

/**
 * The precision that a model was loaded in, and why.
 *
 * <p>{@link Precision#AUTO} takes the first of these whose weights fill at most half of the memory that the process may
 * use; the other half is for activations, adapters with their gradients and moments, and the JVM:
 * <ol>
 * <li>{@link Precision#BF16} where products are at least as fast with it as with f32 (it takes half the memory),
 * otherwise {@link Precision#F32};
 * <li>{@link Precision#INT8};
 * <li>{@link Precision#Q4}, also where it does not fit either.
 * </ol>
 *
 * @param precision what the weights are kept in; not {@link Precision#AUTO}
 * @param reason one clause for a log
 */
@Internal(shared = true)
public record PrecisionChoice(Precision precision, String reason) {
    private static final int SHARE = 2;

    /**
     * The choice for a model on a machine.
     *
     * @param asked what was asked for
     * @param speed how bfloat16 compares with f32 on the kernels that the model runs on
     * @param memory bytes that the process may use
     * @param size the model's
     */
    static PrecisionChoice of(Precision asked, BFloat16Speed speed, long memory, ModelSize size) {
        if (asked != Precision.AUTO) {
            return new PrecisionChoice(asked, "as asked for");
        }
        boolean narrow = speed != BFloat16Speed.SLOWER;
        Precision full = narrow ? Precision.BF16 : Precision.F32;
        String processor = switch (speed) {
            case FASTER -> "the processor multiplies bfloat16 faster than f32";
            case SAME -> "bfloat16 is stored in half the memory of f32 and multiplied in f32 at the same speed";
            case SLOWER -> "the processor has no faster bfloat16";
        };
        String before = "";
        for (Precision precision : List.of(full, Precision.INT8, Precision.Q4)) {
            long bytes = size.weightBytes(precision, narrow);
            String weights = megabytes(bytes) + " of weights";
            if (bytes <= memory / SHARE) {
                String fits = weights + " fill at most half of the memory of " + megabytes(memory);
                return new PrecisionChoice(precision, before.isEmpty() ? processor + ", and " + fits
                        : before + ", too much for half of the memory of " + megabytes(memory) + "; " + weights
                                + " are not");
            }
            before += (before.isEmpty() ? "" : " and ") + name(precision) + " would take " + megabytes(bytes);
        }
        return new PrecisionChoice(Precision.Q4, before + ", more than half of the memory of " + megabytes(memory)
                + "; the smallest type is used and may not fit");
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%,d MB", Math.round(bytes / 1e6));
    }

    /** The name as the command line takes it. */
    public String name() {
        return name(precision);
    }

    private static String name(Precision precision) {
        return precision.name().toLowerCase(Locale.ROOT);
    }
}
