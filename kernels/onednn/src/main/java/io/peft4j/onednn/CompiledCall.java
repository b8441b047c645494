package io.peft4j.onednn;

import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.javacpp.Pointer;

/**
 * A compiled primitive with its memory objects and argument map, ready to run on any addresses: a call costs under a
 * microsecond because nothing is allocated. Belongs to one {@link ThreadContext}.
 */
final class CompiledCall implements AutoCloseable {
    private final primitive primitive;
    private final boolean ownsPrimitive;
    private final IntMemoryMap arguments;
    private final memory[] memories;
    private final memory scratchpad;
    private final long scratchpadBytes;
    private final Address address = new Address();

    /**
     * A call.
     *
     * @param memories the arguments in the order in which {@link #run} gets their addresses
     * @param scratchpad the primitive's scratch memory, null where it needs none
     */
    CompiledCall(primitive primitive, boolean ownsPrimitive, IntMemoryMap arguments, memory[] memories,
            memory scratchpad,
            long scratchpadBytes) {
        this.primitive = primitive;
        this.ownsPrimitive = ownsPrimitive;
        this.arguments = arguments;
        this.memories = memories;
        this.scratchpad = scratchpad;
        this.scratchpadBytes = scratchpadBytes;
    }

    /** Runs the primitive on arguments at the given addresses. */
    void run(ThreadContext lane, long first, long second) {
        point(0, first);
        point(1, second);
        execute(lane);
    }

    /** Runs the primitive on arguments at the given addresses. */
    void run(ThreadContext lane, long first, long second, long third) {
        point(0, first);
        point(1, second);
        point(2, third);
        execute(lane);
    }

    /** Runs the primitive on arguments at the given addresses. */
    void run(ThreadContext lane, long... addresses) {
        for (int i = 0; i < addresses.length; i++) {
            point(i, addresses[i]);
        }
        execute(lane);
    }

    private void point(int argument, long target) {
        memories[argument].set_data_handle(address.at(target));
    }

    private void execute(ThreadContext lane) {
        if (scratchpadBytes == 0) {
            primitive.execute(lane.stream(), arguments);
            return;
        }
        long mark = lane.scratch().mark();
        scratchpad.set_data_handle(address.at(lane.scratch().take(scratchpadBytes)));
        primitive.execute(lane.stream(), arguments);
        lane.scratch().release(mark);
    }

    @Override
    public void close() {
        arguments.deallocate();
        for (memory each : memories) {
            each.deallocate();
        }
        if (scratchpad != null) {
            scratchpad.deallocate();
        }
        if (ownsPrimitive) {
            primitive.deallocate();
        }
    }

    private static final class Address extends Pointer {
        Address() {
            super((Pointer) null);
        }

        Address at(long newAddress) {
            address = newAddress;
            return this;
        }
    }
}
