package io.peft4j.onednn;

import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.global.dnnl.scratchpad_mode;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;

/** A primitive to be compiled: kind, types and sizes. Equal specs are the same primitive, so records implement this. */
interface PrimitiveSpec {
    /** Compiles the primitive; empty where oneDNN has no fast implementation. */
    Optional<CompiledCall> build(ThreadContext lane);

    /** A memory descriptor with the given dimensions and strides, in elements. */
    static memory.desc desc(DataType type, long[] dimensions, long[] strides) {
        return new memory.desc(dimensions, type(type), strides);
    }

    /** A descriptor of a dense matrix. */
    static memory.desc matrix(DataType type, long rows, long columns) {
        return desc(type, new long[] {rows, columns}, new long[] {columns, 1});
    }

    /** A descriptor of a dense vector. */
    static memory.desc vector(DataType type, long length) {
        return desc(type, new long[] {length}, new long[] {1});
    }

    /** oneDNN's name of a type. */
    static memory.data_type type(DataType type) {
        return switch (type) {
            case FLOAT -> memory.data_type.f32;
            case BFLOAT16 -> memory.data_type.bf16;
            default -> throw new IllegalArgumentException("kernels compute with FLOAT and BFLOAT16, not " + type);
        };
    }

    /** Attributes under which the caller gives the scratch memory. */
    static primitive_attr attributes() {
        primitive_attr attributes = new primitive_attr();
        attributes.set_scratchpad_mode(scratchpad_mode.user);
        return attributes;
    }

    /** The same, of a primitive that adds to its result where it is to {@code accumulate}. */
    static primitive_attr attributes(boolean accumulate) {
        primitive_attr attributes = attributes();
        if (accumulate) {
            post_ops operations = new post_ops();
            operations.append_sum();
            attributes.set_post_ops(operations);
        }
        return attributes;
    }

    /** Makes the primitive of a descriptor that is known to be usable. */
    @FunctionalInterface
    interface Maker {
        primitive make();
    }

    /** An argument: oneDNN's number of it, and its layout. */
    record Argument(int number, memory.desc layout) {
    }

    /**
     * The call of a primitive, or empty where its implementation is not a fast one. The description is freed: that of a
     * matrix product takes half a megabyte, of which the garbage collector knows nothing. Layouts and attributes are
     * left to it: they are small and made once.
     *
     * @param description not to be used any more afterwards
     * @param arguments in the order in which {@link CompiledCall#run} gets the addresses
     */
    static Optional<CompiledCall> assemble(ThreadContext lane, PrimitiveSpec spec, primitive_desc_base description,
            Maker maker,
            Argument... arguments) {
        try {
            return usable(lane, spec, description)
                    ? Optional.of(assemble(lane, description.scratchpad_desc(), maker.make(), true, arguments))
                    : Optional.empty();
        } finally {
            description.deallocate();
        }
    }

    /**
     * The call of a copy from one layout to another, with what the attributes say besides. Its first arguments are the
     * two.
     */
    static Optional<CompiledCall> reorder(ThreadContext lane, PrimitiveSpec spec, memory.desc from, memory.desc to,
            primitive_attr attributes, Argument... further) {
        reorder.primitive_desc description = new reorder.primitive_desc(lane.engine(), from, lane.engine(), to,
                attributes, true);
        return assemble(lane, spec, description, () -> new reorder(description),
                Stream.concat(Stream.of(new Argument(dnnl.DNNL_ARG_FROM, from), new Argument(dnnl.DNNL_ARG_TO, to)),
                        Stream.of(further)).toArray(Argument[]::new));
    }

    /** Whether oneDNN found an implementation worth running. */
    static boolean usable(ThreadContext lane, PrimitiveSpec spec, primitive_desc_base description) {
        String implementation = description.get(true) == null ? "none" : description.impl_info_str().getString();
        boolean slow = implementation.equals("none") || implementation.startsWith("ref")
                || implementation.startsWith("simple");
        if (slow) {
            lane.refused(spec, implementation);
        }
        return !slow;
    }

    /**
     * The call of an existing primitive.
     *
     * @param pad the layout of its scratch memory
     */
    static CompiledCall assemble(ThreadContext lane, memory.desc pad, primitive primitive, boolean owned,
            Argument... arguments) {
        IntMemoryMap map = new IntMemoryMap();
        memory[] memories = new memory[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            memories[i] = new memory(arguments[i].layout(), lane.engine(), (Pointer) null);
            map.put(arguments[i].number(), memories[i]);
        }
        long padBytes = pad.get_size();
        memory scratchpad = null;
        if (padBytes > 0) {
            scratchpad = new memory(pad, lane.engine(), (Pointer) null);
            map.put(dnnl.DNNL_ARG_SCRATCHPAD, scratchpad);
        }
        return new CompiledCall(primitive, owned, map, memories, scratchpad, padBytes);
    }
}
