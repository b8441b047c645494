package io.peft4j.onednn;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.weight.FrozenWeight;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The copies of frozen weights in layouts for products of few rows ({@link PackedWeight}), kept within a budget until
 * the weight is forgotten or out of reach. A copy that finds no room takes that of copies that were not used since
 * its own weight was multiplied last; without one, because the weights of the passes at hand are larger than
 * the budget, it is made again for each product. So whether a copy is kept changes the time of a product and no bit.
 */
final class PackedCopies implements AutoCloseable {
    private static final long ALIGNMENT = 64;

    private final ThreadTeam team;
    private final long budget;
    private final Map<Key, Copy> copies = new HashMap<>();
    private final ReferenceQueue<FrozenWeight> gone = new ReferenceQueue<>();
    private long bytes;
    private long clock;

    /** @param budget the most bytes that all copies take */
    PackedCopies(ThreadTeam team, long budget) {
        this.team = team;
        this.budget = budget;
    }

    /** Which of a weight's copies. */
    enum Layout {
        /** For loops in vector registers. */
        LOOPS,
        /** For oneDNN and FLOAT rows. */
        FLOAT_ROWS,
        /** For oneDNN and BFLOAT16 rows. */
        BFLOAT16_ROWS
    }

    /** A weight by its identity: equal values are not the same weight, and comparing them takes long. */
    private static final class Key extends WeakReference<FrozenWeight> {
        private final int hash;
        private final Layout layout;

        Key(FrozenWeight weight, Layout layout, ReferenceQueue<FrozenWeight> queue) {
            super(weight, queue);
            this.hash = System.identityHashCode(weight) * Layout.values().length + layout.ordinal();
            this.layout = layout;
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            return this == other
                    || other instanceof Key key && layout == key.layout && get() != null && get() == key.get();
        }
    }

    /** A weight's copy, or the note that there is none in a layout. */
    static final class Copy {
        private Optional<PackedWeight> layout;
        /** Whether its values can be packed, and are where memory is kept for them. */
        private boolean packed;
        private long memory;
        private long lastUse;

        private Copy(Optional<PackedWeight> layout) {
            this.layout = layout;
        }

        /** The layout of one that {@link #of} has returned. */
        PackedWeight weight() {
            return layout.orElseThrow();
        }

        /** Whether it need not be made again for each product. */
        boolean kept() {
            return memory != 0 || bytes() == 0;
        }

        private long bytes() {
            return weight().sliceBytes() * weight().slices();
        }

        /** The address of a slice's copy, which is made in scratch memory where it is not kept. */
        long slice(ThreadContext lane, FrozenWeight w, int slice) {
            if (memory != 0 || weight().sliceBytes() == 0) {
                return address(slice);
            }
            long scratch = lane.scratch().take(weight().sliceBytes());
            weight().pack(lane, w, slice, scratch);
            return scratch;
        }

        private long address(int slice) {
            return ((memory + ALIGNMENT - 1) & -ALIGNMENT) + slice * weight().sliceBytes();
        }
    }

    /**
     * A weight's copy, ready for a product.
     *
     * @param maker the layout, empty where the weight has none of that kind; asked at the first use
     * @return empty where the weight has none, or its values cannot be kept so
     */
    Optional<Copy> of(FrozenWeight w, Layout layout, Supplier<Optional<PackedWeight>> maker) {
        for (Reference<?> lost = gone.poll(); lost != null; lost = gone.poll()) {
            remove(lost);
        }
        Copy copy = copies.get(new Key(w, layout, null));
        if (copy == null) {
            copy = new Copy(maker.get());
            copies.put(new Key(w, layout, gone), copy);
        }
        if (copy.layout.isPresent()) {
            use(copy, w);
        }
        return copy.layout.isPresent() ? Optional.of(copy) : Optional.empty();
    }

    private void use(Copy copy, FrozenWeight w) {
        long before = copy.lastUse;
        copy.lastUse = ++clock;
        if (copy.memory == 0 && copy.bytes() > 0 && makeRoom(copy.bytes(), before)) {
            copy.memory = NativeMemory.allocate(copy.bytes() + ALIGNMENT);
            bytes += copy.bytes();
            copy.packed = false;
        }
        // The first time also tells whether the values can be packed at all.
        if (!copy.packed) {
            copy.packed = pack(copy, w);
            if (!copy.packed) {
                free(copy);
                copy.layout = Optional.empty();
            }
        }
    }

    private boolean pack(Copy copy, FrozenWeight w) {
        PackedWeight weight = copy.weight();
        boolean[] done = new boolean[weight.slices()];
        team.run(done.length, (lane, slice) -> done[slice] = weight.pack(lane, w, slice,
                copy.memory != 0 ? copy.address(slice) : lane.scratch().take(weight.sliceBytes())));
        for (boolean each : done) {
            if (!each) {
                return false;
            }
        }
        return true;
    }

    /** Frees copies that have not been used since {@code time}, the longest unused first, if that is enough. */
    private boolean makeRoom(long wanted, long time) {
        if (bytes + wanted <= budget) {
            return true;
        }
        List<Copy> unused = copies.values().stream().filter(copy -> copy.memory != 0 && copy.lastUse < time)
                .sorted(Comparator.comparingLong(copy -> copy.lastUse)).toList();
        if (bytes + wanted - unused.stream().mapToLong(Copy::bytes).sum() > budget) {
            return false;
        }
        for (Copy copy : unused) {
            if (bytes + wanted <= budget) {
                break;
            }
            free(copy);
        }
        return true;
    }

    private void free(Copy copy) {
        if (copy.memory != 0) {
            NativeMemory.free(copy.memory);
            copy.memory = 0;
            bytes -= copy.bytes();
        }
    }

    void forget(FrozenWeight w) {
        for (Layout layout : Layout.values()) {
            remove(new Key(w, layout, null));
        }
    }

    private void remove(Object key) {
        Copy copy = copies.remove(key);
        if (copy != null) {
            free(copy);
        }
    }

    /** The bytes that copies take now. */
    long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        copies.values().forEach(this::free);
        copies.clear();
    }
}
