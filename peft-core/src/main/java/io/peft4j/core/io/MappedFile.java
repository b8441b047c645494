package io.peft4j.core.io;

import io.peft4j.core.Internal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import org.bytedeco.javacpp.BytePointer;

/**
 * A file mapped into memory for reading, of any length. Multi-byte values are little-endian, as in safetensors and
 * GGUF.
 *
 * <p>A Java buffer spans at most 2 GB. The file is therefore mapped in windows that begin every {@value #STRIDE} bytes
 * and overlap, so that nearly any range of up to 1 GB lies within one of them; windows are mapped when they are first
 * needed. What is copied comes through pieces of their own, of which few are mapped at a time: pages that were read
 * count as the process's memory for as long as they are mapped.
 *
 * <p>Reading is safe from several threads, also while another one closes the file (the reader then gets an
 * {@link IllegalStateException}), and on a thread that was interrupted. {@link #close()} unmaps the windows at once; a
 * raw {@link #address} must not be used after it.
 */
@Internal
public final class MappedFile implements AutoCloseable {
    private static final long STRIDE = 1L << 30;
    /** The largest page-aligned length that every Java version maps into one buffer. */
    private static final long LARGEST = (1L << 31) - 4096;

    /** Of what is copied at a time, and how many of it: some more than threads that read. */
    private static final long PIECE = 1L << 24;
    private static final int MOST_PIECES = Math.max(8, 2 * Runtime.getRuntime().availableProcessors());

    private final Path path;
    private final FileChannel channel;
    private final long size;
    private final Map<Long, FileMapping> windows = new HashMap<>();
    /** Changes under the lock for writing alone. */
    private final Map<Long, FileMapping> pieces = new HashMap<>();
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    private MappedFile(Path path, FileChannel channel, long size) {
        this.path = path;
        this.channel = channel;
        this.size = size;
    }

    /**
     * Opens a file; nothing is mapped yet.
     *
     * @throws UncheckedIOException when it does not exist, is a folder or cannot be read
     */
    public static MappedFile open(Path path) {
        try {
            if (Files.isDirectory(path)) {
                throw new FileSystemException(path.toString(), null, "it is a folder");
            }
            return Uninterrupted.call(() -> {
                try (Closer opened = new Closer()) {
                    FileChannel channel = opened.add(FileChannel.open(path, StandardOpenOption.READ));
                    MappedFile file = new MappedFile(path, channel, channel.size());
                    opened.keep();
                    return file;
                }
            });
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException("Cannot open " + path + ": no such file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot open " + path + ": " + AtomicFiles.reason(e), e);
        }
    }

    /**
     * Opens a file for something that reads its head first; the file is closed again where that fails.
     *
     * @param reader makes the result, which closes the file when it is closed
     * @throws UncheckedIOException when the file does not exist, is a folder or cannot be read
     */
    public static <T> T open(Path path, Function<MappedFile, T> reader) {
        try (Closer opened = new Closer()) {
            T result = reader.apply(opened.add(open(path)));
            opened.keep();
            return result;
        }
    }

    /** The file's path. */
    public Path path() {
        return path;
    }

    /** The file's length when it was opened. */
    public long size() {
        return size;
    }

    /**
     * Copies bytes to the heap.
     *
     * @param offset where in the file to begin
     * @param target where the bytes go
     * @param targetOffset where in the target to begin
     * @param length how many bytes
     * @throws IndexOutOfBoundsException when the range leaves the file or the target
     * @throws IllegalStateException when the file is closed
     */
    public void get(long offset, byte[] target, int targetOffset, int length) {
        checkRange(offset, length);
        for (int done = 0; done < length;) {
            long at = offset + done;
            ByteBuffer piece = lockedPiece(at / PIECE * PIECE);
            try {
                int begin = (int) (at % PIECE);
                int n = Math.min(length - done, piece.limit() - begin);
                piece.get(begin, target, targetOffset + done, n);
                done += n;
            } finally {
                lock.readLock().unlock();
            }
        }
    }

    /** A piece that is mapped until the caller gives back the lock for reading, which it has then. */
    private ByteBuffer lockedPiece(long begin) {
        lock.readLock().lock();
        FileMapping known = pieces.get(begin);
        if (known != null) {
            return known.buffer();
        }
        lock.readLock().unlock();
        lock.writeLock().lock();
        try {
            checkOpen();
            if (!pieces.containsKey(begin) && pieces.size() >= MOST_PIECES) {
                unmapPieces();
            }
            ByteBuffer piece = pieces.computeIfAbsent(begin, b -> map(b, Math.min(size - b, PIECE))).buffer();
            lock.readLock().lock();
            return piece;
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void unmapPieces() {
        pieces.values().forEach(FileMapping::unmap);
        pieces.clear();
    }

    /**
     * A read-only view of a part of the file. It has a mapping of its own, so it stays valid after {@link #close()}
     * until it is garbage.
     *
     * @param offset where in the file to begin
     * @param length how many bytes
     * @return a little-endian view from position 0 to {@code length}
     * @throws IndexOutOfBoundsException when the range leaves the file
     * @throws IllegalStateException when the file is closed
     * @throws UncheckedIOException when the system cannot map it
     */
    public ByteBuffer view(long offset, int length) {
        checkRange(offset, length);
        lock.readLock().lock();
        try {
            checkOpen();
            return Uninterrupted.call(() -> channel.map(FileChannel.MapMode.READ_ONLY, offset, length))
                    .order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw cannotMap(offset, length, e);
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * The address of a part of the file in memory. It is for native code, which may only read there, and only until
     * {@link #close()}: later use crashes the process.
     *
     * @param offset where in the file to begin
     * @param length how many bytes
     * @return the address, or empty where the part has more than 2 GB and cannot be had in one piece: copy it
     * @throws IndexOutOfBoundsException when the range leaves the file
     * @throws IllegalStateException when the file is closed
     */
    public OptionalLong address(long offset, long length) {
        checkRange(offset, length);
        if (length == 0) {
            return OptionalLong.empty();
        }
        lock.readLock().lock();
        try {
            long begin = offset / STRIDE * STRIDE;
            ByteBuffer window = window(begin);
            if (offset - begin + length > window.limit() && length <= LARGEST) {
                begin = offset;
                window = window(begin);
            }
            if (offset - begin + length > window.limit()) {
                return OptionalLong.empty();
            }
            try (BytePointer start = new BytePointer(window)) {
                return OptionalLong.of(start.address() + offset - begin);
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Unmaps the file and closes it. Views stay valid, addresses do not. A second call does nothing. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            windows.values().forEach(FileMapping::unmap);
            windows.clear();
            unmapPieces();
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot close " + path + ": " + AtomicFiles.reason(e), e);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** The mapping of what follows a place, as far as one buffer reaches. */
    private ByteBuffer window(long begin) {
        synchronized (windows) {
            checkOpen();
            return windows.computeIfAbsent(begin, b -> map(b, Math.min(size - b, LARGEST))).buffer();
        }
    }

    private FileMapping map(long offset, long length) {
        try {
            return Uninterrupted.call(() -> FileMapping.map(channel, offset, length));
        } catch (IOException e) {
            throw cannotMap(offset, length, e);
        }
    }

    private UncheckedIOException cannotMap(long offset, long length, IOException e) {
        return new UncheckedIOException("Cannot map " + path + " (" + length + " bytes from " + offset + "): "
                + AtomicFiles.reason(e), e);
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException(path + " is closed; keep it open for as long as its tensors are read");
        }
    }

    private void checkRange(long offset, long length) {
        if (offset < 0 || length < 0 || length > size - offset) {
            throw new IndexOutOfBoundsException(
                    length + " bytes from " + offset + " are outside of " + path + ", which has " + size + " bytes");
        }
    }
}
