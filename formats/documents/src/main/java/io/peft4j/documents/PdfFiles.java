package io.peft4j.documents;

import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.FileType;
import io.peft4j.data.format.RowSource;

/** Handbooks in PDF: a row for each heading with text below it, which names its {@code page}. */
public final class PdfFiles implements FileType {
    @Override
    public String ending() {
        return ".pdf";
    }

    @Override
    public RowSource open(DataFile file) {
        return Documents.read(file, PdfHandbook::read);
    }
}
