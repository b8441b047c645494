package io.peft4j.core.peft.file;

import io.peft4j.core.nn.Slot;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The frozen matrix of an adapted layer, which Hugging Face PEFT stores with the adapters of embeddings and output
 * layers.
 */
final class BaseCopy {
    /** The tensor's name after the place's path. */
    static final String NAME = "base_layer.weight";
    /** The same of a place of which rows are trained. */
    static final String TOKEN_NAME = "token_adapter.base_layer.weight";
    /** The same of a place that has no adapter. */
    static final String PLAIN_NAME = "weight";
    /** The same beside a trained copy. */
    private static final String UNTRAINED_NAME = "original_module.weight";
    static final List<String> NAMES = List.of(NAME, TOKEN_NAME, PLAIN_NAME, UNTRAINED_NAME);
    /** bfloat16 rounds by at most 1/256 of a value; the base may be held so, and the copy not. */
    private static final double ROUNDED = 4e-3;
    /** Four-bit blocks are off by about a tenth; two models that have nothing in common by more than one. */
    private static final double QUANTIZED = 0.25;

    private BaseCopy() {
    }

    /** How a copy compares with the base model. */
    enum Comparison {
        EQUAL, CLOSE, DIFFERENT
    }

    /** The comparison and its sentence for a report. */
    record Result(Comparison comparison, String sentence) {
    }

    static TensorData data(Slot slot) {
        FrozenWeight weight = WeightSample.weight(slot).orElseThrow();
        float[] values = new float[Math.multiplyExact(weight.rows(), weight.columns())];
        for (int i = 0; i < weight.rows(); i++) {
            weight.readRow(i, values, i * weight.columns());
        }
        return TensorData.f32(new long[] {weight.rows(), weight.columns()}, values);
    }

    /** Compares row by row: the size of the difference relative to the size of the weight. */
    static Result compare(Slot slot, SafetensorsFile file, String key) {
        FrozenWeight weight = WeightSample.weight(slot).orElseThrow();
        long[] shape = file.shape(key);
        if (!Arrays.equals(shape, new long[] {weight.rows(), weight.columns()})) {
            return new Result(Comparison.DIFFERENT, "has shape " + Arrays.toString(shape) + ", the model's is ["
                    + weight.rows() + ", " + weight.columns() + "]" + (shape.length == 2 && shape[0] > weight.rows()
                            ? "; if the adapter has additional tokens, load the base with ModelOptions.withTokensOf"
                            : ""));
        }
        float[] mine = new float[weight.columns()];
        float[] theirs = new float[weight.columns()];
        double difference = 0;
        double size = 0;
        boolean equal = true;
        for (int i = 0; i < weight.rows(); i++) {
            weight.readRow(i, mine, 0);
            file.readFloats(key, (long) i * theirs.length, theirs, 0, theirs.length);
            equal &= Arrays.equals(mine, theirs);
            for (int j = 0; j < mine.length; j++) {
                difference += Math.pow((double) mine[j] - theirs[j], 2);
                size += (double) mine[j] * mine[j];
            }
        }
        double relative = Math.sqrt(difference / Math.max(size, Double.MIN_NORMAL));
        boolean close = relative <= (weight.isQuantized() ? QUANTIZED : ROUNDED);
        return new Result(equal ? Comparison.EQUAL : close ? Comparison.CLOSE : Comparison.DIFFERENT,
                String.format(Locale.ROOT, "differs from the model's weight by %.2g of its size", relative));
    }
}
