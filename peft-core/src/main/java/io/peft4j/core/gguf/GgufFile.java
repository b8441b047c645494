package io.peft4j.core.gguf;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.MappedFile;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorFile;
import io.peft4j.core.weight.TensorInfo;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/**
 * A GGUF file of version 2 or 3, little-endian. Opening it checks metadata and list of tensors; the data is mapped and
 * decoded on demand.
 */
public final class GgufFile extends TensorFile {
    private final GgufHead head;

    private GgufFile(MappedFile file, GgufHead head) {
        super(file, head.tensors());
        this.head = head;
    }

    /**
     * Opens a file and reads its head.
     *
     * @throws FileFormatException when the file is truncated, damaged, hostile or of another version
     * @throws java.io.UncheckedIOException when it does not exist or cannot be read
     */
    public static GgufFile open(Path path) {
        return MappedFile.open(path, file -> new GgufFile(file, GgufHead.read(file)));
    }

    /** The version of the format, 2 or 3. */
    public int version() {
        return head.version();
    }

    /** The metadata: hyperparameters, tokenizer, chat template; usable after {@link #close()}. */
    public GgufMetadata metadata() {
        return head.metadata();
    }

    @Override
    public void readFloats(String name, long first, float[] target, int offset, int count) {
        TensorInfo info = info(name);
        BlockType type = info.type().orElseThrow(() -> unreadable(name));
        Objects.checkFromIndexSize(first, (long) count, info.elements());
        type.dequantize(source(info), first, target, offset, count);
    }

    /** The exception for a tensor whose {@link #blockType} is empty, which says what else there is. */
    public FileFormatException unreadable(String name) {
        return new FileFormatException(path(), "tensor '" + name + "' is of ggml's type " + info(name).typeName()
                + ", which is not supported; supported are " + Arrays.toString(BlockType.values())
                + ". Use another quantization such as Q4_K_M or Q8_0, or "
                + "convert the file: llama-quantize --allow-requantize IN.gguf OUT.gguf Q8_0");
    }
}
