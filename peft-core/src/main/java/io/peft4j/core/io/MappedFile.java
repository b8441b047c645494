package io.peft4j.core.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
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
import org.bytedeco.javacpp.BytePointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file mapped into memory for reading, of any length. Multi-byte values are little-endian, as in safetensors and
 * GGUF.
 *
 * <p>A Java buffer spans at most 2 GB. The file is therefore mapped in windows that begin every {@value #STRIDE} bytes
 * and overlap, so that any range of up to 1 GB lies within one of them; windows are mapped when they are first needed.
 *
 * <p>Reading is safe from several threads, also while another one closes the file (the reader then gets an
 * {@link IllegalStateException}). {@link #close()} unmaps the windows at once; a raw {@link #address} must not be used
 * after it.
 */
public final class MappedFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MappedFile.class);
    private static final long STRIDE = 1L << 30;

    private final Path path;
    private final FileChannel channel;
    private final long size;
    private final Map<Long, MappedByteBuffer> windows = new HashMap<>();
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
     * @param path the file
     * @return the open file
     * @throws UncheckedIOException when it does not exist, is a folder or cannot be read
     */
    public static MappedFile open(Path path) {
        try {
            if (Files.isDirectory(path)) {
                throw new FileSystemException(path.toString(), null, "it is a folder");
            }
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
            return new MappedFile(path, channel, channel.size());
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException("Cannot open " + path + ": there is no such file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot open " + path + ": " + AtomicFiles.reason(e), e);
        }
    }

    /**
     * The file's path.
     *
     * @return the path as it was given
     */
    public Path path() {
        return path;
    }

    /**
     * The file's length when it was opened.
     *
     * @return its length in bytes
     */
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
        lock.readLock().lock();
        try {
            for (int done = 0; done < length; ) {
                long at = offset + done;
                MappedByteBuffer window = window(at / STRIDE * STRIDE);
                int begin = (int) (at % STRIDE);
                int n = Math.min(length - done, window.limit() - begin);
                window.get(begin, target, targetOffset + done, n);
                done += n;
            }
        } finally {
            lock.readLock().unlock();
        }
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
            return map(offset, length).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
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
     * @return the address, or empty where the part cannot be had in one piece (more than 1 GB over a window's end):
     *     copy it
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
            MappedByteBuffer window = window(offset / STRIDE * STRIDE);
            long begin = offset % STRIDE;
            if (begin + length > window.limit()) {
                return OptionalLong.empty();
            }
            try (BytePointer start = new BytePointer(window)) {
                return OptionalLong.of(start.address() + begin);
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
            windows.values().forEach(MappedFile::unmap);
            windows.clear();
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot close " + path + ": " + AtomicFiles.reason(e), e);
        } finally {
            lock.writeLock().unlock();
        }
    }

    private MappedByteBuffer window(long begin) {
        synchronized (windows) {
            checkOpen();
            return windows.computeIfAbsent(begin, b -> map(b, Math.min(size - b, Integer.MAX_VALUE)));
        }
    }

    private MappedByteBuffer map(long offset, long length) {
        try {
            return channel.map(FileChannel.MapMode.READ_ONLY, offset, length);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot map " + path + " (" + length + " bytes from " + offset + "): "
                    + AtomicFiles.reason(e), e);
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException(path + " is closed; keep it open for as long as its tensors are read");
        }
    }

    private void checkRange(long offset, long length) {
        if (offset < 0 || length < 0 || length > size - offset) {
            throw new IndexOutOfBoundsException(
                    length + " bytes from " + offset + " leave " + path + ", which has " + size + " bytes");
        }
    }

    /**
     * Java 17 unmaps a buffer only when it is garbage, and buffers are too small for the collector to hurry: without
     * this, gigabytes of resident weights would outlive the model.
     */
    private static void unmap(MappedByteBuffer window) {
        try {
            Class<?> type = Class.forName("sun.misc.Unsafe");
            Field instance = type.getDeclaredField("theUnsafe");
            instance.setAccessible(true);
            Method clean = type.getMethod("invokeCleaner", ByteBuffer.class);
            clean.invoke(instance.get(null), window);
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.debug("Unmapping is left to the garbage collector", e);
        }
    }
}
