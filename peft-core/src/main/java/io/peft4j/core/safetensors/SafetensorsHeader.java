package io.peft4j.core.safetensors;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.MappedFile;
import io.peft4j.core.weight.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The checked header of a safetensors file: 8 bytes N, then N bytes of JSON
 * {@code {"__metadata__": {...}, name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}}, offsets
 * counted from the end of the header.
 */
record SafetensorsHeader(Map<String, TensorInfo> tensors, Map<String, String> metadata) {
    /** As in the reference implementation; the header of a model with 100,000 tensors has about 10 MB. */
    static final long MAX_BYTES = 100_000_000;
    private static final int LENGTH_BYTES = 8;
    private static final String METADATA = "__metadata__";

    static SafetensorsHeader read(MappedFile file) {
        Path path = file.path();
        long length = length(file);
        byte[] json = new byte[(int) length];
        file.get(LENGTH_BYTES, json, 0, json.length);
        if (json[0] != '{') {
            throw new FileFormatException(path, "the header does not begin with '{'; is this a safetensors file?");
        }
        List<TensorInfo> found = new ArrayList<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        long dataStart = LENGTH_BYTES + length;
        try (StrictJson reader = new StrictJson(path, "the header", json)) {
            reader.object("the header", name -> {
                if (name.equals(METADATA)) {
                    metadata.putAll(reader.stringsOrNull(METADATA));
                } else {
                    found.add(tensor(path, reader, name, dataStart));
                }
            });
            reader.end();
        }
        return new SafetensorsHeader(inOrder(path, found, dataStart, file.size()),
                Collections.unmodifiableMap(metadata));
    }

    private static long length(MappedFile file) {
        if (file.size() < LENGTH_BYTES) {
            throw new FileFormatException(file.path(), "the file has " + file.size()
                    + " bytes, too few for a safetensors file; it is truncated, download it again");
        }
        byte[] bytes = new byte[LENGTH_BYTES];
        file.get(0, bytes, 0, LENGTH_BYTES);
        long length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 0 || length > MAX_BYTES) {
            throw new FileFormatException(file.path(), "the header would have " + Long.toUnsignedString(length)
                    + " bytes, the limit is " + MAX_BYTES + "; is this a safetensors file?");
        }
        if (length > file.size() - LENGTH_BYTES) {
            throw new FileFormatException(file.path(), "the header would have " + length + " bytes, but only "
                    + (file.size() - LENGTH_BYTES) + " follow; the file is truncated, download it again");
        }
        if (length < 2) {
            throw new FileFormatException(file.path(), "the header has " + length + " bytes, too few for JSON");
        }
        return length;
    }

    private static TensorInfo tensor(Path path, StrictJson reader, String name, long dataStart) {
        String where = "tensor '" + name + "'";
        Draft draft = new Draft();
        reader.object(where, key -> {
            switch (key) {
                case "dtype" -> draft.dtype = reader.string("the dtype of " + where);
                case "shape" -> draft.shape = reader.counts("the shape of " + where);
                case "data_offsets" -> draft.offsets = reader.counts("data_offsets of " + where);
                default -> reader.ignore();
            }
        });
        if (draft.dtype == null || draft.shape == null || draft.offsets == null) {
            throw new FileFormatException(path, where + " lacks its "
                    + (draft.dtype == null ? "dtype" : draft.shape == null ? "shape" : "data_offsets"));
        }
        if (draft.offsets.length != 2 || draft.offsets[0] > draft.offsets[1]) {
            throw new FileFormatException(path, where + " has the data_offsets " + Arrays.toString(draft.offsets)
                    + "; they must be a begin and an end not before it");
        }
        if (draft.offsets[1] > Long.MAX_VALUE - dataStart) {
            throw new FileFormatException(path, where + " ends at " + draft.offsets[1] + ", far outside the file");
        }
        long length = draft.offsets[1] - draft.offsets[0];
        checkLength(path, where, draft, length);
        return new TensorInfo(name, draft.dtype, draft.shape, dataStart + draft.offsets[0], length);
    }

    private static void checkLength(Path path, String where, Draft draft, long length) {
        try {
            long elements = 1;
            for (long dimension : draft.shape) {
                elements = Math.multiplyExact(elements, dimension);
            }
            Optional<DType> type = DType.of(draft.dtype);
            if (type.isPresent() && Math.multiplyExact(elements, (long) type.get().bytes()) != length) {
                throw new FileFormatException(path, where + " has " + length + " bytes, but " + draft.dtype
                        + Arrays.toString(draft.shape) + " needs " + elements * type.get().bytes());
            }
        } catch (ArithmeticException e) {
            throw new FileFormatException(path, where + " has the shape " + Arrays.toString(draft.shape)
                    + ", more elements than can be counted", e);
        }
    }

    /** Sorts by place and checks that the tensors fill the data exactly. */
    private static Map<String, TensorInfo> inOrder(Path path, List<TensorInfo> found, long dataStart, long end) {
        found.sort(Comparator.comparingLong(TensorInfo::offset).thenComparingLong(TensorInfo::length));
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        long expected = dataStart;
        String before = "the header";
        for (TensorInfo info : found) {
            String where = "tensor '" + info.name() + "'";
            if (info.offset() + info.length() > end) {
                throw new FileFormatException(path, where + " ends at byte " + (info.offset() + info.length())
                        + ", the file at " + end + "; it is truncated or damaged, download it again");
            }
            if (info.offset() != expected) {
                throw new FileFormatException(path, where + " begins at byte " + info.offset()
                        + (info.offset() < expected ? " and overlaps " : " and leaves a gap after ") + before
                        + ", which ends at " + expected);
            }
            tensors.put(info.name(), info);
            expected = info.offset() + info.length();
            before = where;
        }
        if (expected != end) {
            throw new FileFormatException(path, (end - expected) + " bytes follow " + before
                    + " that belong to no tensor");
        }
        return Collections.unmodifiableMap(tensors);
    }

    /** What has been read of a tensor so far. */
    private static final class Draft {
        private String dtype;
        private long[] shape;
        private long[] offsets;
    }
}
