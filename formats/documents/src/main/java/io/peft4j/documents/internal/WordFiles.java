package io.peft4j.documents.internal;

import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.FileType;
import io.peft4j.data.format.RowSource;

/** Handbooks in DOCX: a row for each heading with text below it; its line is the number of the paragraph. */
public final class WordFiles implements FileType {
    @Override
    public String ending() {
        return ".docx";
    }

    @Override
    public RowSource open(DataFile file) {
        return Documents.read(file.path(), WordHandbook::read);
    }
}
