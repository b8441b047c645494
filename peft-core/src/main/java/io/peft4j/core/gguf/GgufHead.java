package io.peft4j.core.gguf;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.MappedFile;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The checked head of a GGUF file: {@code "GGUF"}, version, number of tensors, number of metadata entries, the entries,
 * the list of tensors, and after padding the data.
 */
record GgufHead(int version, GgufMetadata metadata, Map<String, TensorInfo> tensors) {
    private static final long MAGIC = 0x46554747;
    private static final String ALIGNMENT = "general.alignment";
    private static final long DEFAULT_ALIGNMENT = 32;
    private static final int MAX_DIMENSIONS = 4;
    /** A key of no bytes, its type, a value of one byte. */
    private static final int MIN_ENTRY_BYTES = 8 + 4 + 1;
    /** A name of no bytes, the number of dimensions, the type, the offset. */
    private static final int MIN_TENSOR_BYTES = 8 + 4 + 4 + 8;
    /** ggml's types by number, also those that cannot be read; empty where a number is no longer in use. */
    private static final String[] TYPES = {
        "F32", "F16", "Q4_0", "Q4_1", "", "", "Q5_0", "Q5_1", "Q8_0", "Q8_1",
        "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S",
        "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M",
        "BF16", "", "", "", "TQ1_0", "TQ2_0", "", "", "", "MXFP4",
    };

    static GgufHead read(MappedFile file) {
        ByteBuffer head = file.view(0, (int) Math.min(file.size(), Integer.MAX_VALUE));
        GgufCursor cursor = new GgufCursor(file.path(), head);
        if (cursor.u32("the magic number") != MAGIC) {
            throw cursor.wrong("not a GGUF file: it does not begin with GGUF");
        }
        int version = version(cursor);
        int tensorCount = cursor.count("tensors", MIN_TENSOR_BYTES);
        int entryCount = cursor.count("metadata entries", MIN_ENTRY_BYTES);
        GgufMetadata metadata = metadata(file.path(), head, cursor, entryCount);
        List<Draft> drafts = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < tensorCount; i++) {
            Draft draft = draft(cursor, i);
            if (!names.add(draft.name)) {
                throw cursor.wrong("tensor '" + draft.name + "' appears twice");
            }
            drafts.add(draft);
        }
        long alignment = alignment(file.path(), metadata);
        long dataStart = (cursor.position() + alignment - 1) / alignment * alignment;
        return new GgufHead(version, metadata, place(file, drafts, dataStart, alignment));
    }

    private static int version(GgufCursor cursor) {
        long version = cursor.u32("the version");
        if (version != 2 && version != 3) {
            boolean swapped = version != 0 && (version & 0xffff) == 0;
            throw cursor.wrong(swapped
                    ? "this is a big-endian GGUF file; only little-endian files are supported"
                    : "this is version " + version + " of GGUF; versions 2 and 3 are supported");
        }
        return (int) version;
    }

    private static GgufMetadata metadata(Path path, ByteBuffer head, GgufCursor cursor, int count) {
        Map<String, GgufMetadata.Entry> entries = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            String key = cursor.string("metadata key " + i);
            String what = "metadata key '" + key + "'";
            GgufType type = cursor.type(what);
            if (entries.put(key, new GgufMetadata.Entry(type, cursor.position())) != null) {
                throw cursor.wrong(what + " appears twice");
            }
            cursor.skip(type, what);
        }
        return new GgufMetadata(path, head, entries);
    }

    private static long alignment(Path path, GgufMetadata metadata) {
        long alignment = metadata.integer(ALIGNMENT, DEFAULT_ALIGNMENT);
        if (alignment <= 0 || alignment > 1 << 20 || Long.bitCount(alignment) != 1) {
            throw new FileFormatException(path, ALIGNMENT + " is " + alignment
                    + "; it must be a power of two up to 1048576");
        }
        return alignment;
    }

    private static Draft draft(GgufCursor cursor, int number) {
        String name = cursor.string("the name of tensor " + number);
        String what = "tensor '" + name + "'";
        long dimensions = cursor.u32("the number of dimensions of " + what);
        if (dimensions > MAX_DIMENSIONS) {
            throw cursor.wrong(what + " has " + dimensions + " dimensions, the limit is " + MAX_DIMENSIONS);
        }
        long[] shape = new long[(int) dimensions];
        long elements = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            shape[i] = cursor.i64("the dimensions of " + what);
            if (shape[i] < 0 || shape[i] != 0 && elements > Long.MAX_VALUE / shape[i]) {
                throw cursor.wrong(what + " has the dimension " + Long.toUnsignedString(shape[i])
                        + ", more elements than can be counted");
            }
            elements *= shape[i];
        }
        long type = cursor.u32("the type of " + what);
        long offset = cursor.i64("the offset of " + what);
        return new Draft(name, type, shape, elements, offset);
    }

    private static String typeName(long id) {
        return id >= 0 && id < TYPES.length && !TYPES[(int) id].isEmpty() ? TYPES[(int) id] : "number " + id;
    }

    /** Checks that each tensor lies in the file, aligned, and over no other one. */
    private static Map<String, TensorInfo> place(MappedFile file, List<Draft> drafts, long dataStart, long alignment) {
        long end = file.size();
        List<Draft> ordered = new ArrayList<>(drafts);
        ordered.sort(Comparator.comparingLong(Draft::offset).thenComparingLong(Draft::elements));
        Map<String, TensorInfo> placed = new LinkedHashMap<>();
        for (int i = 0; i < ordered.size(); i++) {
            Draft draft = ordered.get(i);
            String what = "tensor '" + draft.name + "'";
            if (draft.offset < 0 || draft.offset % alignment != 0) {
                throw new FileFormatException(file.path(), what + " has the offset "
                        + Long.toUnsignedString(draft.offset)
                        + ", which is not a multiple of the alignment " + alignment);
            }
            // An offset behind the file's end is cut there, so that no sum of it overflows.
            long room = end - dataStart - Math.min(draft.offset, end);
            boolean last = i + 1 == ordered.size();
            long free = last ? room : Math.min(room, ordered.get(i + 1).offset - draft.offset);
            long length = draft.length(file.path()).orElse(Math.max(0, free));
            if (length > room || room < 0) {
                throw new FileFormatException(file.path(), what + " needs " + length + " bytes from byte "
                        + Long.toUnsignedString(dataStart + draft.offset) + " on, but the file ends at " + end
                        + "; it is truncated or damaged, download it again");
            }
            if (length > free) {
                throw new FileFormatException(file.path(), what + " and tensor '"
                        + ordered.get(i + 1).name + "' overlap");
            }
            long begin = dataStart + draft.offset;
            placed.put(draft.name, new TensorInfo(draft.name, typeName(draft.type), draft.shape, begin, length));
        }
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        drafts.forEach(draft -> tensors.put(draft.name, placed.get(draft.name)));
        return Collections.unmodifiableMap(tensors);
    }

    /** A tensor as the list has it: shape as PyTorch orders it, offset from the begin of the data. */
    private record Draft(String name, long type, long[] shape, long elements, long offset) {
        /** The number of bytes, or empty where the type is not known. */
        Optional<Long> length(Path path) {
            return BlockType.ofGgml(type).map(known -> {
                long row = shape.length == 0 ? 1 : shape[shape.length - 1];
                if (row % known.blockSize() != 0) {
                    throw new FileFormatException(path, "tensor '" + name + "' has rows of " + row
                            + " values, which is not a whole number of " + known + " blocks of " + known.blockSize());
                }
                if (elements / known.blockSize() > Long.MAX_VALUE / known.blockBytes()) {
                    throw new FileFormatException(path, "tensor '" + name + "' has " + elements
                            + " values, more than any file can hold");
                }
                return known.bytes(elements);
            });
        }
    }
}
