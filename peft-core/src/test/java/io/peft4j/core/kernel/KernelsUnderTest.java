package io.peft4j.core.kernel;

import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

/** What the parts of {@link KernelsContract} share. */
public interface KernelsUnderTest {
    /** The implementation under test. */
    Kernels kernels();

    /**
     * The largest error, relative to the expected value plus the root mean square of the expected array, where all
     * arrays are FLOAT. Sums of up to 1536 products of normal numbers in f32 come within a few 1e-6.
     */
    default double floatTolerance() {
        return 1e-5;
    }

    /**
     * The same where an array is BFLOAT16, whose rounding is 2^-9 relative. An implementation may round intermediate
     * values too, hence four times that.
     */
    default double bfloat16Tolerance() {
        return 1.0 / 128;
    }

    /** Both types. */
    List<DataType> TYPES = List.of(DataType.FLOAT, DataType.BFLOAT16);
}
