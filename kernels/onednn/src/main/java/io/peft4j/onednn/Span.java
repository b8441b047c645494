package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Native memory that holds elements of a type, from an address on.
 *
 * @param type FLOAT or BFLOAT16
 * @param address the first element
 */
record Span(DataType type, long address) {
    /** The elements of an array whose layout has been checked. */
    static Span of(INDArray array) {
        return new Span(array.dataType(), Arrays.address(array));
    }

    /** New scratch memory of a lane. */
    static Span scratch(ThreadContext lane, DataType type, long elements) {
        return new Span(type, lane.scratch().take(elements * Arrays.bytes(type)));
    }

    /** From element {@code elements} on. */
    Span from(long elements) {
        return elements == 0 ? this : new Span(type, address + elements * Arrays.bytes(type));
    }

    /** Whether the elements are FLOAT. */
    boolean isFloat() {
        return type == DataType.FLOAT;
    }
}
