package io.peft4j.models.gguf;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.models.architecture.ModelConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The tensors of a GGUF file under Hugging Face's names and in its row order.
 *
 * <p>llama.cpp stores the rows of the query and key projections so that the two elements of a rotated pair are
 * neighbours; Hugging Face keeps them half a head apart. Row {@code j} of a head there is row {@code 2j} (first half)
 * or {@code 2 (j - D/2) + 1} (second half) here. Rows move as a whole, so quantized blocks stay as they are.
 */
public final class GgufCheckpoint implements TensorStore {
    private final GgufFile file;
    private final ModelConfig config;
    private final Map<String, String> ggufNames = new LinkedHashMap<>();
    private final int headSize;

    private GgufCheckpoint(GgufFile file) {
        this.file = file;
        this.config = GgufConfig.of(file);
        for (String name : file.names()) {
            GgufTensorNames.toHuggingFace(name).ifPresent(hf -> ggufNames.put(hf, name));
        }
        this.headSize = config.optionalPositive("head_dim")
                .orElse(config.positive("hidden_size") / config.positive("num_attention_heads"));
        if (headSize < 2 || headSize % 2 != 0) {
            throw new FileFormatException(file.path(), "the head size is " + headSize + "; it must be even");
        }
    }

    /**
     * Takes over an open file; closing the checkpoint closes it.
     *
     * @throws FileFormatException when the architecture is not supported or metadata is missing
     */
    public static GgufCheckpoint of(GgufFile file) {
        try {
            return new GgufCheckpoint(file);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** The configuration with the keys of {@code config.json}. */
    public ModelConfig config() {
        return config;
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public Set<String> names() {
        return ggufNames.keySet();
    }

    @Override
    public long[] shape(String name) {
        return file.shape(ggufName(name));
    }

    @Override
    public Optional<BlockType> blockType(String name) {
        return file.blockType(ggufName(name));
    }

    @Override
    public long length(String name) {
        return file.length(ggufName(name));
    }

    @Override
    public void readBytes(String name, long position, byte[] target, int offset, int count) {
        if (!isPermuted(name)) {
            file.readBytes(ggufName(name), position, target, offset, count);
            return;
        }
        long rowBytes = length(name) / shape(name)[0];
        copyRows(name, rowBytes, position, count, (from, done, n) ->
                file.readBytes(ggufName(name), from, target, offset + done, n));
    }

    @Override
    public void readFloats(String name, long first, float[] target, int offset, int count) {
        if (!isPermuted(name)) {
            file.readFloats(ggufName(name), first, target, offset, count);
            return;
        }
        copyRows(name, elements(name) / shape(name)[0], first, count, (from, done, n) ->
                file.readFloats(ggufName(name), from, target, offset + done, n));
    }

    @Override
    public ByteBuffer bytes(String name) {
        if (!isPermuted(name)) {
            return file.bytes(ggufName(name));
        }
        byte[] copy = new byte[Math.toIntExact(length(name))];
        readBytes(name, 0, copy, 0, copy.length);
        return ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public OptionalLong address(String name) {
        return isPermuted(name) ? OptionalLong.empty() : file.address(ggufName(name));
    }

    @Override
    public void close() {
        file.close();
    }

    /** Reads {@code count} units from unit {@code from} of the file's tensor, the {@code done}-th of the request. */
    @FunctionalInterface
    private interface PieceReader {
        void read(long from, int done, int count);
    }

    private void copyRows(String name, long rowLength, long first, int count, PieceReader reader) {
        if (first < 0 || count < 0 || first + count > rowLength * shape(name)[0]) {
            throw new IndexOutOfBoundsException("elements " + first + " to " + (first + count) + " of tensor " + name);
        }
        for (int done = 0; done < count; ) {
            long row = (first + done) / rowLength;
            long inRow = (first + done) % rowLength;
            int n = (int) Math.min(rowLength - inRow, count - done);
            reader.read(sourceRow(row) * rowLength + inRow, done, n);
            done += n;
        }
    }

    private long sourceRow(long row) {
        long head = row / headSize;
        long j = row % headSize;
        int half = headSize / 2;
        return head * headSize + (j < half ? 2 * j : 2 * (j - half) + 1);
    }

    private boolean isPermuted(String name) {
        return name.contains(".self_attn.q_proj.") || name.contains(".self_attn.k_proj.");
    }

    private String ggufName(String name) {
        String gguf = ggufNames.get(name);
        if (gguf == null) {
            throw new IllegalArgumentException(path() + " has no tensor for " + name);
        }
        return gguf;
    }
}
