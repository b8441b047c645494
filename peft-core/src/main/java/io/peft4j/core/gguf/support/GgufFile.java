package io.peft4j.core.gguf.support;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.support.SimilarNames;
import io.peft4j.core.io.internal.MappedFile;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.support.TensorStore;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A GGUF file of version 2 or 3, little-endian. Opening it checks metadata and list of tensors; the data is mapped and
 * decoded on demand.
 */
public final class GgufFile implements TensorStore {
    private final MappedFile file;
    private final GgufHead head;

    private GgufFile(MappedFile file, GgufHead head) {
        this.file = file;
        this.head = head;
    }

    /**
     * Opens a file and reads its head.
     *
     * @param path the file
     * @return the open file
     * @throws FileFormatException when the file is truncated, damaged, hostile or of another version
     * @throws java.io.UncheckedIOException when it does not exist or cannot be read
     */
    public static GgufFile open(Path path) {
        return MappedFile.open(path, file -> new GgufFile(file, GgufHead.read(file)));
    }

    @Override
    public Path path() {
        return file.path();
    }

    /**
     * The version of the format.
     *
     * @return 2 or 3
     */
    public int version() {
        return head.version();
    }

    /**
     * The metadata: hyperparameters, tokenizer, chat template.
     *
     * @return the values by key; usable after {@link #close()}
     */
    public GgufMetadata metadata() {
        return head.metadata();
    }

    /**
     * All tensors in the order of the file's list.
     *
     * @return an unmodifiable map from the name
     */
    public Map<String, GgufTensor> tensors() {
        return head.tensors();
    }

    /**
     * One tensor's place and type.
     *
     * @param name the tensor
     * @return its description
     * @throws FileFormatException when there is no such tensor; the message names near ones
     */
    public GgufTensor info(String name) {
        GgufTensor info = head.tensors().get(name);
        if (info == null) {
            throw new FileFormatException(path(), "no tensor '" + name + "'; "
                    + SimilarNames.sentence(name, head.tensors().keySet()));
        }
        return info;
    }

    @Override
    public Set<String> names() {
        return head.tensors().keySet();
    }

    @Override
    public long[] shape(String name) {
        return info(name).shape();
    }

    @Override
    public Optional<BlockType> blockType(String name) {
        return info(name).type();
    }

    @Override
    public long length(String name) {
        return info(name).length();
    }

    @Override
    public void readBytes(String name, long position, byte[] target, int offset, int count) {
        GgufTensor info = info(name);
        Objects.checkFromIndexSize(position, (long) count, info.length());
        file.get(info.offset() + position, target, offset, count);
    }

    @Override
    public void readFloats(String name, long first, float[] target, int offset, int count) {
        GgufTensor info = info(name);
        BlockType type = info.type().orElseThrow(() -> unreadable(name));
        Objects.checkFromIndexSize(first, (long) count, elements(name));
        type.dequantize((position, bytes, at, length) -> file.get(info.offset() + position, bytes, at, length),
                first, target, offset, count);
    }

    /**
     * The exception for a tensor of a type that cannot be read, which says what else there is.
     *
     * @param name a tensor whose {@link #blockType} is empty
     * @return the exception
     */
    public FileFormatException unreadable(String name) {
        return new FileFormatException(path(), "tensor '" + name + "' is of ggml's type "
                + GgmlTypeNames.of(info(name).ggmlType()) + ", which is not supported; supported are "
                + Arrays.toString(BlockType.values()) + ". Use another quantization such as Q4_K_M or Q8_0, or "
                + "convert the file: llama-quantize --allow-requantize IN.gguf OUT.gguf Q8_0");
    }

    @Override
    public ByteBuffer bytes(String name) {
        GgufTensor info = info(name);
        if (info.length() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(name + " has " + info.length()
                    + " bytes, more than a Java buffer can hold; read it in pieces");
        }
        return file.view(info.offset(), (int) info.length());
    }

    @Override
    public OptionalLong address(String name) {
        GgufTensor info = info(name);
        return file.address(info.offset(), info.length());
    }

    @Override
    public void close() {
        file.close();
    }

    /** The names of ggml's types, for messages about those that cannot be read. */
    static final class GgmlTypeNames {
        /** By number; empty where a number is no longer in use. */
        private static final String[] NAMES = {
            "F32", "F16", "Q4_0", "Q4_1", "", "", "Q5_0", "Q5_1", "Q8_0", "Q8_1",
            "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S",
            "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M",
            "BF16", "", "", "", "TQ1_0", "TQ2_0", "", "", "", "MXFP4",
        };

        private GgmlTypeNames() {
        }

        static String of(long id) {
            return id >= 0 && id < NAMES.length && !NAMES[(int) id].isEmpty() ? NAMES[(int) id] : "number " + id;
        }
    }
}
