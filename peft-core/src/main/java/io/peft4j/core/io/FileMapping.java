package io.peft4j.core.io;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mapped range of a file that can be unmapped.
 *
 * <p>Java unmaps a buffer only when it is garbage, and buffers are too small for the collector to hurry:
 * gigabytes of resident weights would outlive their model. From Java 22 on there are arenas for it, which are called by
 * reflection because this library is compiled for 17; before, there is a method of {@code sun.misc.Unsafe}, which Java
 * 24 warns about.
 */
record FileMapping(ByteBuffer buffer, AutoCloseable owner) {
    private static final Logger LOG = LoggerFactory.getLogger(FileMapping.class);
    private static final int FIRST_WITH_ARENAS = 22;

    /** Maps a range for reading. */
    static FileMapping map(FileChannel channel, long offset, long length) throws IOException {
        if (Runtime.version().feature() >= FIRST_WITH_ARENAS) {
            try {
                return mapInArena(channel, offset, length);
            } catch (InvocationTargetException e) {
                if (e.getCause() instanceof IOException io) {
                    throw io;
                }
                throw new IOException("the mapping failed", e.getCause());
            } catch (ReflectiveOperationException e) {
                LOG.debug("Arenas cannot be used", e);
            }
        }
        ByteBuffer buffer = channel.map(MapMode.READ_ONLY, offset, length);
        return new FileMapping(buffer, () -> clean(buffer));
    }

    /** Unmaps the range. The buffer must not be used any more. */
    void unmap() {
        try {
            owner.close();
        } catch (Exception e) {
            LOG.debug("Unmapping is left to the garbage collector", e);
        }
    }

    private static FileMapping mapInArena(FileChannel channel, long offset, long length)
            throws ReflectiveOperationException {
        Class<?> type = Class.forName("java.lang.foreign.Arena");
        Class<?> segmentType = Class.forName("java.lang.foreign.MemorySegment");
        AutoCloseable arena = (AutoCloseable) type.getMethod("ofShared").invoke(null);
        Object segment = FileChannel.class.getMethod("map", MapMode.class, long.class, long.class, type)
                .invoke(channel, MapMode.READ_ONLY, offset, length, arena);
        return new FileMapping((ByteBuffer) segmentType.getMethod("asByteBuffer").invoke(segment), arena);
    }

    private static void clean(ByteBuffer buffer) throws ReflectiveOperationException {
        Class<?> type = Class.forName("sun.misc.Unsafe");
        Field instance = type.getDeclaredField("theUnsafe");
        instance.setAccessible(true);
        Method cleaner = type.getMethod("invokeCleaner", ByteBuffer.class);
        cleaner.invoke(instance.get(null), buffer);
    }
}
