package io.peft4j.core.weight;

import io.peft4j.core.Internal;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.io.MappedFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** A mapped file of tensors, of whatever format, whose head has been checked against its length. */
@Internal
public abstract class TensorFile implements TensorStore {
    private final MappedFile file;
    private final Map<String, TensorInfo> tensors;

    /** Takes over the file. */
    protected TensorFile(MappedFile file, Map<String, TensorInfo> tensors) {
        this.file = file;
        this.tensors = tensors;
    }

    @Override
    public final Path path() {
        return file.path();
    }

    /** All tensors by name, in the order of the file; unmodifiable. */
    public final Map<String, TensorInfo> tensors() {
        return tensors;
    }

    /**
     * One tensor's place and type.
     *
     * @throws FileFormatException when there is no such tensor; the message names near ones
     */
    public final TensorInfo info(String name) {
        TensorInfo info = tensors.get(name);
        if (info == null) {
            throw new FileFormatException(path(), "no tensor '" + name + "'; "
                    + SimilarNames.sentence(name, tensors.keySet()));
        }
        return info;
    }

    @Override
    public final Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public final long[] shape(String name) {
        return info(name).shape();
    }

    @Override
    public final Optional<BlockType> blockType(String name) {
        return info(name).type();
    }

    @Override
    public final long length(String name) {
        return info(name).length();
    }

    @Override
    public final void readBytes(String name, long position, byte[] target, int offset, int count) {
        TensorInfo info = info(name);
        Objects.checkFromIndexSize(position, (long) count, info.length());
        file.get(info.offset() + position, target, offset, count);
    }

    /** The bytes of a tensor, of which no range is checked but that it lies in the file. */
    protected final BlockType.ByteSource source(TensorInfo info) {
        return (position, bytes, at, length) -> file.get(info.offset() + position, bytes, at, length);
    }

    @Override
    public final ByteBuffer bytes(String name) {
        TensorInfo info = info(name);
        if (info.length() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(name + " has " + info.length()
                    + " bytes, more than a Java buffer can hold; read it in pieces");
        }
        return file.view(info.offset(), (int) info.length());
    }

    @Override
    public OptionalLong address(String name) {
        TensorInfo info = info(name);
        return file.address(info.offset(), info.length());
    }

    @Override
    public final void close() {
        file.close();
    }
}
