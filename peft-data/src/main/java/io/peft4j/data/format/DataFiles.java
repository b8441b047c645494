package io.peft4j.data.format;

import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStream;
import com.github.luben.zstd.ZstdOutputStream;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipException;

/** Opens data files, compressed ones as if they were not. */
@Internal(shared = true)
public final class DataFiles {
    /** What Excel writes before UTF-8. */
    static final byte[] UTF8_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
    private static final int BUFFER = 1 << 16;
    private static final Path STANDARD_INPUT = Path.of("-");
    private static final String PIPE = "it is a pipe or a device, and data is read more than once; write it to a file "
            + "first";
    /** The modules that read files of these endings. */
    public static final Map<String, String> OTHER_MODULES = Map.of(".parquet", "peft-parquet", ".pdf", "peft-documents",
            ".docx", "peft-documents", ".xlsx", "peft-documents");
    /** The endings of documents, which are cut at their headings. */
    static final List<String> DOCUMENTS = Stream.concat(Stream.of(".md", ".markdown", ".html", ".htm"),
            OTHER_MODULES.keySet().stream().filter(ending -> !ending.equals(".parquet")).sorted()).toList();
    private static final List<String> UNREAD = List.of(".doc", ".odt", ".rtf", ".xls", ".ods", ".ppt", ".pptx");

    private DataFiles() {
    }

    /**
     * Opens a file, or the standard input where its name is {@code -}. gzip and zstd are recognized by their first
     * bytes, whatever the name is. A pipe can be opened once.
     *
     * @throws UncheckedIOException when it cannot be opened
     */
    public static InputStream open(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        if (Files.isRegularFile(file) && UNREAD.stream().anyMatch(name::endsWith)) {
            throw new DataException(file, "is a document in an unsupported format; save a table as .xlsx or CSV in "
                    + "UTF-8, a handbook as .docx, .pdf, HTML or Markdown");
        }
        InputStream opened = null;
        try {
            opened = stream(file);
            InputStream in = new BufferedInputStream(opened, BUFFER);
            in.mark(4);
            byte[] magic = in.readNBytes(4);
            in.reset();
            if (magic.length >= 2 && magic[0] == 0x1F && magic[1] == (byte) 0x8B) {
                return unpacked(file, new GZIPInputStream(in, BUFFER));
            }
            boolean zstd = magic.length == 4 && magic[0] == 0x28 && magic[1] == (byte) 0xB5 && magic[2] == 0x2F
                    && magic[3] == (byte) 0xFD;
            return zstd ? unpacked(file, new ZstdInputStream(in)) : in;
        } catch (IOException e) {
            close(opened, e);
            throw unreadable(file, e);
        }
    }

    private static InputStream stream(Path file) throws IOException {
        if (file.equals(STANDARD_INPUT)) {
            return System.in;
        }
        // A channel asks for its position, which a pipe does not have.
        return isPipe(file) ? new FileInputStream(file.toFile()) : Files.newInputStream(file);
    }

    private static boolean isPipe(Path file) {
        return file.equals(STANDARD_INPUT)
                || Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file);
    }

    /**
     * Refuses a pipe where a file is read more than once.
     *
     * @throws ConfigurationException when it is one
     */
    public static void requireFile(Path file) {
        if (isPipe(file)) {
            throw new ConfigurationException("cannot read " + file + ": " + PIPE);
        }
    }

    /**
     * Opens a file of text, which comes as UTF-8 whatever it was saved in. The stream can go back to a mark.
     *
     * @throws UncheckedIOException when it cannot be opened
     */
    public static InputStream text(DataFile file) {
        return text(file, open(file.path()));
    }

    /** As {@link #text(DataFile)}, of an open file. */
    public static InputStream text(DataFile file, InputStream opened) {
        InputStream in = opened.markSupported() ? opened : new BufferedInputStream(opened, BUFFER);
        try {
            Charset encoding = file.encoding().orElse(StandardCharsets.UTF_8);
            if (file.encoding().isEmpty()) {
                in.mark(2);
                byte[] mark = in.readNBytes(2);
                in.reset();
                boolean utf16 = mark.length == 2 && (mark[0] == (byte) 0xFE && mark[1] == (byte) 0xFF
                        || mark[0] == (byte) 0xFF && mark[1] == (byte) 0xFE);
                encoding = utf16 ? StandardCharsets.UTF_16 : encoding;
            }
            if (encoding.equals(StandardCharsets.UTF_8)) {
                return in;
            }
            // A file of several encodings may begin with the mark of UTF-8, which is no text in the one that is given.
            if (beginsWithMark(in)) {
                in.skipNBytes(UTF8_MARK.length);
            }
            return new BufferedInputStream(new Utf8Stream(file.path(), in, encoding), BUFFER);
        } catch (IOException e) {
            if (isDamage(e)) {
                // Told when the rows are read, which fails in the same place.
                return in;
            }
            close(in, e);
            throw unreadable(file.path(), e);
        }
    }

    /** Whether a stream that can go back begins with the byte order mark of UTF-8. */
    public static boolean beginsWithMark(InputStream in) throws IOException {
        in.mark(UTF8_MARK.length);
        boolean marked = Arrays.equals(in.readNBytes(UTF8_MARK.length), UTF8_MARK);
        in.reset();
        return marked;
    }

    /** Bounded by the length of the file; a pipe has none. */
    private static InputStream unpacked(Path file, InputStream in) throws IOException {
        return Files.isRegularFile(file) ? new UnpackedStream(in, Files.size(file)) : in;
    }

    private static void close(InputStream opened, IOException reason) {
        if (opened != null) {
            try {
                opened.close();
            } catch (IOException e) {
                reason.addSuppressed(e);
            }
        }
    }

    /** Whether what was read is damaged compressed data, or the disk failed otherwise. */
    public static boolean isDamage(IOException e) {
        return e instanceof EOFException || e instanceof ZipException || e instanceof ZstdIOException;
    }

    /**
     * A row in place of what cannot be decompressed, after which there is no other.
     *
     * @throws UncheckedIOException when it is not that the data is damaged, but that the file cannot be read
     */
    public static DataRow damaged(Path file, long line, IOException e) {
        if (!isDamage(e)) {
            throw unreadable(file, e);
        }
        return DataRow.last("invalid_compression", new DataException(file, Math.max(1, line), 0,
                "the compressed data is damaged, truncated or unpacks to an excessive size: " + e.getMessage(), e));
    }

    /** The error for a file that cannot be read. */
    public static UncheckedIOException unreadable(Path file, IOException e) {
        return new UncheckedIOException("cannot read " + file + ": "
                + (e instanceof NoSuchFileException ? "no such file" + (file.isAbsolute() ? ""
                        : " in " + file.toAbsolutePath().normalize().getParent())
                        : Files.isDirectory(file) ? "it is a folder; use a file in it"
                                : isPipe(file) ? PIPE + " (" + e.getMessage() + ")" : e.getMessage()),
                e);
    }

    /**
     * Refuses to write over a file that is read.
     *
     * @throws ConfigurationException when both are the same file, also by way of a link
     * @throws UncheckedIOException when that cannot be found out
     */
    public static void requireOther(Path input, Path output) {
        boolean same = input.toAbsolutePath().normalize().equals(output.toAbsolutePath().normalize());
        try {
            same |= Files.exists(input) && Files.exists(output) && Files.isSameFile(input, output);
        } catch (IOException e) {
            throw unreadable(output, e);
        }
        if (same) {
            throw new ConfigurationException(output + " would overwrite the input " + input + "; write to another "
                    + "file");
        }
    }

    /** Compresses what is written, as the name of the file asks for: {@code .gz}, {@code .zst} or neither. */
    public static OutputStream compressing(Path file, OutputStream out) throws IOException {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".gz") ? new GZIPOutputStream(out, BUFFER)
                : name.endsWith(".zst") || name.endsWith(".zstd") ? new ZstdOutputStream(out) : out;
    }

    /** Whether it is a document, or a folder, which is read as the documents in it. */
    @Internal(shared = true)
    public static boolean isDocument(Path file) {
        return Files.isDirectory(file) || DOCUMENTS.stream().anyMatch(plainName(file)::endsWith);
    }

    /** Whether a file of this name is a table, a document or a JSON list, of which rows are made, and no JSON Lines. */
    public static boolean isMadeIntoRows(String filename) {
        String name = plainName(Path.of(filename));
        return Stream.of(DOCUMENTS, UNREAD, List.of(".csv", ".tsv", ".parquet", ".json")).flatMap(List::stream)
                .anyMatch(name::endsWith);
    }

    /** The name without the endings of compression, in lower case. */
    public static String plainName(Path file) {
        Path name = file.getFileName();
        return (name == null ? "" : name.toString()).toLowerCase(Locale.ROOT).replaceAll("\\.(gz|zst|zstd)$", "");
    }

    /**
     * What a compressed file unpacks to: up to 64 MiB, and beyond that up to {@value #TIMES} times the file's own
     * length. Data does not pack as well as that; what does is meant to fill memory or time.
     */
    private static final class UnpackedStream extends FilterInputStream {
        private static final long FREE = 64L << 20;
        private static final int TIMES = 100;

        private final long packed;
        private long left;

        UnpackedStream(InputStream in, long packed) {
            super(in);
            this.packed = packed;
            this.left = FREE + TIMES * packed;
        }

        @Override
        public int read() throws IOException {
            int next = super.read();
            count(next < 0 ? 0 : 1);
            return next;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            int read = super.read(bytes, from, length);
            count(read);
            return read;
        }

        private void count(int bytes) throws IOException {
            left -= Math.max(0, bytes);
            if (left < 0) {
                throw new ZipException("its " + packed + " bytes unpack to more than 64 MiB and " + TIMES
                        + " times their number");
            }
        }
    }

    /**
     * Text of another encoding as UTF-8. What comes before bytes that are none of that encoding is read; they are then
     * reported with their line, and the stream ends.
     */
    private static final class Utf8Stream extends InputStream {
        private static final int BUFFER = 1 << 14;

        private final Path file;
        private final InputStream in;
        private final Charset encoding;
        private final CharsetDecoder decoder;
        private final ByteBuffer source = ByteBuffer.allocate(BUFFER).limit(0);
        private final CharBuffer characters = CharBuffer.allocate(BUFFER);
        private ByteBuffer ready = ByteBuffer.allocate(0);
        private char half;
        private long line = 1;
        private boolean atEnd;
        private boolean checked;
        private boolean failed;

        Utf8Stream(Path file, InputStream in, Charset encoding) {
            this.file = file;
            this.in = in;
            this.encoding = encoding;
            this.decoder = encoding.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            Objects.checkFromIndexSize(from, length, bytes.length);
            while (length > 0 && !ready.hasRemaining()) {
                if (atEnd) {
                    return -1;
                }
                fill();
            }
            int count = Math.min(length, ready.remaining());
            ready.get(bytes, from, count);
            return count;
        }

        private void fill() throws IOException {
            if (failed) {
                atEnd = true;
                throw new DataException(file, line, 0, "is not text in " + encoding + " from here on; name the "
                        + "encoding that the file was saved in", null);
            }
            source.compact();
            int count = in.read(source.array(), source.position(), source.remaining());
            source.position(source.position() + Math.max(0, count)).flip();
            requireNotUtf8();
            characters.clear();
            if (half != 0) {
                characters.put(half);
                half = 0;
            }
            CoderResult result = decoder.decode(source, characters, count < 0);
            if (count < 0 && result.isUnderflow()) {
                decoder.flush(characters);
                atEnd = true;
            }
            failed = result.isError();
            characters.flip();
            // A character of two halves is encoded when both are there.
            if (characters.hasRemaining() && Character.isHighSurrogate(characters.get(characters.limit() - 1))) {
                half = characters.get(characters.limit() - 1);
                characters.limit(characters.limit() - 1);
            }
            for (int i = 0; i < characters.limit(); i++) {
                line += characters.get(i) == '\n' ? 1 : 0;
            }
            ready = StandardCharsets.UTF_8.encode(characters);
        }

        /** Text in UTF-8 has a reading in most other encodings, too, but none that anybody means. */
        private void requireNotUtf8() {
            boolean ascii = true;
            for (int i = source.position(); i < source.limit(); i++) {
                ascii &= source.get(i) >= 0;
            }
            if (checked || ascii) {
                return;
            }
            checked = true;
            // The last character may be cut off, which is no error here.
            CoderResult read = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
                    .decode(source.duplicate(), CharBuffer.allocate(source.remaining()), false);
            if (!read.isError()) {
                atEnd = true;
                throw new DataException(file, line, 0, "is UTF-8 text, but is read as " + encoding + "; name no "
                        + "encoding, or use one encoding for all files", null);
            }
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
