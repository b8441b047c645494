package io.peft4j.parquet;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.CRC32;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DataPageV1;
import org.apache.parquet.column.page.DataPageV2;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.format.DataPageHeader;
import org.apache.parquet.format.DataPageHeaderV2;
import org.apache.parquet.format.DictionaryPageHeader;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import shaded.parquet.org.apache.thrift.TConfiguration;
import shaded.parquet.org.apache.thrift.TException;
import shaded.parquet.org.apache.thrift.protocol.TCompactProtocol;
import shaded.parquet.org.apache.thrift.transport.TIOStreamTransport;

/** The pages of one column of a group of rows, read when they are asked for. */
final class ColumnPages implements PageReader {
    private final ColumnDescriptor column;
    private final ColumnChunkMetaData chunk;
    private final ChunkBytes in;
    private boolean begun;
    private Optional<DictionaryPage> dictionary = Optional.empty();
    private Optional<DataPage> ahead = Optional.empty();
    private long values;

    ColumnPages(FileChannel channel, ColumnChunkMetaData chunk, ColumnDescriptor column) {
        this.column = column;
        this.chunk = chunk;
        this.in = new ChunkBytes(channel, chunk.getStartingPos(), chunk.getTotalSize());
    }

    @Override
    public long getTotalValueCount() {
        return chunk.getValueCount();
    }

    /** The interface wants null for none. */
    @Override
    public DictionaryPage readDictionaryPage() {
        if (!begun) {
            begun = true;
            ahead = read();
        }
        return dictionary.orElse(null);
    }

    @Override
    public DataPage readPage() {
        begun = true;
        DataPage page = (ahead.isPresent() ? ahead : read()).orElseThrow(() -> damage("ends before its last value"));
        ahead = Optional.empty();
        return page;
    }

    /** Checks that no page is left. */
    void requireEnd() {
        if (values != chunk.getValueCount()) {
            throw damage("has " + chunk.getValueCount() + " values, of which the rows take " + values);
        }
    }

    /** The next page of data; a dictionary before it is kept. */
    private Optional<DataPage> read() {
        try {
            while (values < chunk.getValueCount() && in.available() > 0) {
                PageHeader header = header();
                int size = header.getUncompressed_page_size();
                if (header.getCompressed_page_size() < 0 || header.getCompressed_page_size() > in.left() || size < 0) {
                    throw damage("has a page of " + header.getCompressed_page_size() + " bytes, unpacked " + size);
                }
                Expansion.requirePage(chunk, header.getCompressed_page_size(), size);
                byte[] bytes = in.readNBytes(header.getCompressed_page_size());
                requireSum(header, bytes);
                if (header.getType() == PageType.DICTIONARY_PAGE) {
                    dictionary = Optional.of(dictionary(header.getDictionary_page_header(), unpacked(bytes, size)));
                } else if (header.getType() == PageType.DATA_PAGE) {
                    return Optional.of(first(header.getData_page_header(), unpacked(bytes, size), size));
                } else if (header.getType() == PageType.DATA_PAGE_V2) {
                    return Optional.of(second(header.getData_page_header_v2(), bytes, size));
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            throw in.failed() ? new UncheckedIOException(e) : damage("cannot be read: " + e.getMessage());
        }
    }

    /** As the library reads it, but with no text in it that is longer than what is left of the column. */
    private PageHeader header() throws IOException {
        try {
            int left = (int) Math.min(Integer.MAX_VALUE, in.left());
            PageHeader header = new PageHeader();
            header.read(new TCompactProtocol(new TIOStreamTransport(
                    TConfiguration.custom().setMaxMessageSize(left).build(), in)));
            return header;
        } catch (TException e) {
            if (in.failed()) {
                throw new IOException(e);
            }
            throw damage("has a page whose head cannot be read: " + e.getMessage());
        }
    }

    /** Room is made for each of its values before they are read. */
    private DictionaryPage dictionary(DictionaryPageHeader header, byte[] bytes) {
        if (count(header.getNum_values()) > bytes.length) {
            throw damage("has a dictionary of " + header.getNum_values() + " values in " + bytes.length + " bytes");
        }
        return new DictionaryPage(BytesInput.from(bytes), header.getNum_values(), encoding(header.getEncoding()));
    }

    private DataPage first(DataPageHeader header, byte[] bytes, int size) {
        int count = counted(header.getNum_values());
        return new DataPageV1(BytesInput.from(bytes), count, size, statistics(),
                encoding(header.getRepetition_level_encoding()), encoding(header.getDefinition_level_encoding()),
                encoding(header.getEncoding()));
    }

    /** In the second form the levels stand before the values and are never compressed. */
    private DataPage second(DataPageHeaderV2 header, byte[] bytes, int size) throws IOException {
        int repetition = header.getRepetition_levels_byte_length();
        int levels = repetition + header.getDefinition_levels_byte_length();
        if (repetition < 0 || levels < repetition || levels > bytes.length || levels > size) {
            throw damage("has a page whose levels are longer than itself");
        }
        byte[] packed = Arrays.copyOfRange(bytes, levels, bytes.length);
        byte[] data = header.isIs_compressed() ? unpacked(packed, size - levels) : packed;
        return DataPageV2.uncompressed(count(header.getNum_rows()), count(header.getNum_nulls()),
                counted(header.getNum_values()), BytesInput.from(Arrays.copyOf(bytes, repetition)),
                BytesInput.from(Arrays.copyOfRange(bytes, repetition, levels)), encoding(header.getEncoding()),
                BytesInput.from(data), statistics());
    }

    private byte[] unpacked(byte[] bytes, int size) throws IOException {
        return Codecs.unpack(chunk.getCodec(), bytes, size);
    }

    private Statistics<?> statistics() {
        return Statistics.getBuilderForReading(column.getPrimitiveType()).build();
    }

    private Encoding encoding(org.apache.parquet.format.Encoding encoding) {
        if (encoding == null) {
            throw damage("has a page of an unknown encoding");
        }
        return Encoding.valueOf(encoding.name());
    }

    private int counted(int number) {
        values += count(number);
        if (values > chunk.getValueCount()) {
            throw damage("has more values than the " + chunk.getValueCount() + " that the footer names");
        }
        return number;
    }

    private int count(int number) {
        if (number < 0) {
            throw damage("has a page of " + number + " values");
        }
        return number;
    }

    private void requireSum(PageHeader header, byte[] bytes) {
        CRC32 sum = new CRC32();
        sum.update(bytes);
        if (header.isSetCrc() && (int) sum.getValue() != header.getCrc()) {
            throw damage("has a page whose check sum is wrong");
        }
    }

    private DamageException damage(String what) {
        return new DamageException("the column " + String.join(".", column.getPath()) + " " + what);
    }

    /** A part of a file as a stream; the place of the channel does not matter. */
    private static final class ChunkBytes extends InputStream {
        private static final int BUFFER = 1 << 16;

        private final FileChannel channel;
        private final ByteBuffer buffer;
        private final long end;
        private long next;
        private boolean failed;

        ChunkBytes(FileChannel channel, long from, long length) {
            this.channel = channel;
            this.next = from;
            this.end = from + length;
            this.buffer = ByteBuffer.allocate((int) Math.min(BUFFER, Math.max(1, length))).flip();
        }

        /** How many bytes are left. */
        long left() {
            return end - next + buffer.remaining();
        }

        /** Whether the file could not be read, rather than being damaged. */
        boolean failed() {
            return failed;
        }

        @Override
        public int available() {
            return (int) Math.min(Integer.MAX_VALUE, left());
        }

        @Override
        public int read() throws IOException {
            return buffer.hasRemaining() || fill() ? buffer.get() & 0xFF : -1;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            Objects.checkFromIndexSize(from, length, bytes.length);
            if (length == 0) {
                return 0;
            }
            if (!buffer.hasRemaining() && !fill()) {
                return -1;
            }
            int count = Math.min(length, buffer.remaining());
            buffer.get(bytes, from, count);
            return count;
        }

        private boolean fill() throws IOException {
            if (next == end) {
                return false;
            }
            buffer.clear().limit((int) Math.min(buffer.capacity(), end - next));
            int count;
            try {
                count = channel.read(buffer, next);
            } catch (IOException e) {
                failed = true;
                throw e;
            }
            if (count <= 0) {
                buffer.flip();
                throw new EOFException("the file ends before byte " + end);
            }
            next += count;
            buffer.flip();
            return true;
        }
    }
}
