package io.peft4j.documents;

import io.peft4j.core.error.DataException;
import io.peft4j.core.error.PeftException;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFiles;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.HandbookSections;
import io.peft4j.data.format.RowSource;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.UnsupportedCharsetException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Reads a document at once. What cannot be read becomes the one row, with the reason. */
final class Documents {
    private static final String CODE = "invalid_document";

    private Documents() {
    }

    /** Gathers the sections of a document, or gives rows of its own. */
    @FunctionalInterface
    interface Reader {
        RowSource read(Path file, HandbookSections sections) throws IOException;
    }

    static RowSource read(DataFile source, Reader reader) {
        Path file = source.path();
        if (!Files.isRegularFile(file)) {
            throw DataFiles.unreadable(file, new NoSuchFileException(file.toString()));
        }
        try {
            return reader.read(file, new HandbookSections(source));
        } catch (NoSuchFileException | FileNotFoundException e) {
            throw DataFiles.unreadable(file, e);
        } catch (DataException e) {
            return wrong(e);
        } catch (PeftException e) {
            // The client has left.
            throw e;
        } catch (UnsupportedCharsetException e) {
            return wrong(new DataException(file, 1, 0, "holds text in the encoding " + e.getCharsetName() + ", which "
                    + "this Java cannot read: add its module jdk.charsets to the image that jlink makes, or save the "
                    + "document as Markdown in UTF-8", e));
        } catch (IOException | RuntimeException e) {
            // Whatever it is that the library makes of bytes that are no such document.
            String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            return wrong(new DataException(file, 1, 0, "is damaged, cut off or no " + ending(file) + " file: "
                    + reason.strip().replaceAll("\\s*\\R\\s*", " "), e));
        } catch (StackOverflowError e) {
            return wrong(new DataException(file, 1, 0, "is nested too deeply to be read", e));
        }
    }

    private static String ending(Path file) {
        String name = file.getFileName().toString();
        return name.substring(name.lastIndexOf('.') + 1).toUpperCase(java.util.Locale.ROOT);
    }

    private static RowSource wrong(DataException e) {
        return HandbookSections.of(List.of(DataRow.broken(CODE, e)));
    }
}
