package io.peft4j.spark;

import io.peft4j.data.near.WordStatistics;
import io.peft4j.data.report.CheckPart;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.io.Serializable;
import java.io.UncheckedIOException;

/** What follows the examples of a partition. A class of plain fields, which any serializer of Spark can write. */
final class CheckedPart implements Serializable {
    private static final long serialVersionUID = 1L;

    final int file;
    final long[] lines;
    private final byte[] part;

    /**
     * The end of a partition.
     *
     * @param file the number of its file
     * @param lines the lines of its examples
     * @param part what its rows say
     */
    CheckedPart(int file, long[] lines, CheckPart part) {
        this.file = file;
        this.lines = lines;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(part);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.part = bytes.toByteArray();
    }

    CheckPart part() {
        try (ObjectInputStream in = new Here(new ByteArrayInputStream(part))) {
            return (CheckPart) in.readObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The words of a partition's examples; a class of its own, so that only it is fetched where it is wanted. */
    static final class SeenWords implements Serializable {
        private static final long serialVersionUID = 1L;

        final WordStatistics statistics;

        SeenWords(WordStatistics statistics) {
            this.statistics = statistics;
        }

        SeenWords merge(SeenWords other) {
            return new SeenWords(statistics.merge(other.statistics));
        }
    }

    /** Finds classes where this one is: applications of Spark have a class loader of their own. */
    private static final class Here extends ObjectInputStream {
        Here(InputStream in) throws IOException {
            super(in);
        }

        @Override
        protected Class<?> resolveClass(ObjectStreamClass description) throws IOException, ClassNotFoundException {
            try {
                return Class.forName(description.getName(), false, CheckedPart.class.getClassLoader());
            } catch (ClassNotFoundException e) {
                return super.resolveClass(description);
            }
        }
    }
}
