package io.peft4j.documents;

import io.peft4j.core.error.DataException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Enumeration;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.poi.openxml4j.exceptions.OpenXML4JException;
import org.apache.poi.openxml4j.opc.OPCPackage;
import org.apache.poi.openxml4j.opc.PackageAccess;
import org.apache.poi.poifs.filesystem.FileMagic;

/** Opens the files of Microsoft Office, within bounds of what they unpack to beside those that POI has. */
final class OfficePackages {
    /** Of all XML in a file; some ten times as much memory is needed to read it. */
    private static final long MOST_XML = Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 16);
    private static final int MOST_PARTS = 10_000;
    private static final Set<FileMagic> OTHERS = EnumSet.complementOf(EnumSet.of(FileMagic.XML, FileMagic.HTML,
            FileMagic.UNKNOWN));
    private static final int BUFFER = 1 << 16;

    private OfficePackages() {
    }

    static OPCPackage open(Path file) throws IOException {
        if (FileMagic.valueOf(file.toFile()) == FileMagic.OLE2) {
            throw new DataException(file, 1, "is encrypted with a password, or of an older kind; save a copy without a "
                    + "password as .docx or .xlsx");
        }
        requireBounded(file);
        try {
            return OPCPackage.open(file.toFile(), PackageAccess.READ);
        } catch (OpenXML4JException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /**
     * What the parts say of their length need not be true, and what they are called of what they are: so all are
     * unpacked once to count, but those that begin as pictures and the like do, of which no parser of XML reads more.
     */
    private static void requireBounded(Path file) throws IOException {
        byte[] buffer = new byte[BUFFER];
        long length = 0;
        int parts = 0;
        try (ZipFile zip = new ZipFile(file.toFile())) {
            for (Enumeration<? extends ZipEntry> entries = zip.entries(); entries.hasMoreElements();) {
                parts++;
                require(file, parts <= MOST_PARTS, "has more than " + MOST_PARTS + " parts");
                try (InputStream in = new BufferedInputStream(zip.getInputStream(entries.nextElement()), BUFFER)) {
                    if (OTHERS.contains(FileMagic.valueOf(in))) {
                        continue;
                    }
                    for (int read = in.read(buffer); read > 0; read = in.read(buffer)) {
                        length += read;
                        require(file, length <= MOST_XML, "unpacks to more than " + (MOST_XML >> 20) + " MiB of text");
                    }
                }
            }
        }
    }

    private static void require(Path file, boolean right, String problem) {
        if (!right) {
            throw new DataException(file, 1, problem + ", the limit for a document; save a table of that size as CSV");
        }
    }
}
