package io.peft4j.documents.internal;

import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import java.util.zip.InflaterInputStream;
import org.apache.pdfbox.cos.COSArray;
import org.apache.pdfbox.cos.COSBase;
import org.apache.pdfbox.cos.COSDocument;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.cos.COSObjectKey;
import org.apache.pdfbox.cos.COSStream;

/**
 * What the packed streams of a PDF unpack to, which is counted before any is unpacked into memory: 64 MiB, and beyond
 * that 100 times the file's length.
 */
final class PdfStreams {
    private static final long FREE = 64L << 20;
    private static final int TIMES = 100;
    private static final int BUFFER = 1 << 16;

    private PdfStreams() {
    }

    static void requireBounded(Path file, COSDocument document) throws IOException {
        long most = FREE + TIMES * Files.size(file);
        long left = most;
        // Those with another sign lie within one of these.
        for (Map.Entry<COSObjectKey, Long> place : Map.copyOf(document.getXrefTable()).entrySet()) {
            COSBase object = place.getValue() > 0 ? document.getObjectFromPool(place.getKey()).getObject() : null;
            if (object instanceof COSStream stream && !COSName.IMAGE.equals(stream.getCOSName(COSName.SUBTYPE))) {
                left -= length(stream, left);
            }
            if (left <= 0) {
                throw new DataException(file, 1, "unpacks to more than " + (most >> 20) + " MiB, the limit for a file "
                        + "of its length");
            }
        }
    }

    private static long length(COSStream stream, long most) throws IOException {
        InputStream unpacked = stream.createRawInputStream();
        for (COSName filter : filters(stream)) {
            if (!COSName.FLATE_DECODE.equals(filter) && !COSName.FLATE_DECODE_ABBREVIATION.equals(filter)) {
                break;
            }
            unpacked = new InflaterInputStream(unpacked);
        }
        byte[] buffer = new byte[BUFFER];
        long length = 0;
        try (InputStream in = unpacked) {
            for (int read = in.read(buffer); read > 0 && length <= most; read = in.read(buffer)) {
                length += read;
            }
        } catch (IOException e) {
            // Damaged: PDFBox takes what comes before, too, or says so.
            return length;
        }
        return length;
    }

    private static List<COSName> filters(COSStream stream) {
        COSBase filters = stream.getFilters();
        return filters instanceof COSName name ? List.of(name) : !(filters instanceof COSArray names) ? List.of()
                : StreamSupport.stream(names.spliterator(), false).filter(COSName.class::isInstance)
                        .map(COSName.class::cast).toList();
    }
}
