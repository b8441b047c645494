package io.peft4j.documents.internal;

import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.FileType;
import io.peft4j.data.format.support.HandbookSections;
import io.peft4j.data.format.RowSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.poi.openxml4j.opc.OPCPackage;
import org.apache.poi.xwpf.usermodel.IBodyElement;
import org.apache.poi.xwpf.usermodel.XWPFDocument;
import org.apache.poi.xwpf.usermodel.XWPFParagraph;
import org.apache.poi.xwpf.usermodel.XWPFSDT;
import org.apache.poi.xwpf.usermodel.XWPFStyle;
import org.apache.poi.xwpf.usermodel.XWPFTable;
import org.apache.poi.xwpf.usermodel.XWPFTableCell;

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

    /** A handbook in DOCX, cut at the paragraphs whose style is that of a heading. */
    private static final class WordHandbook {
        private static final Pattern HEADING = Pattern.compile("heading (\\d)");

        private WordHandbook() {
        }

        static RowSource read(Path file, HandbookSections sections) throws IOException {
            try (OPCPackage container = OfficePackages.open(file);
                    XWPFDocument document = new XWPFDocument(container)) {
                long number = 0;
                for (IBodyElement element : document.getBodyElements()) {
                    number++;
                    if (element instanceof XWPFParagraph paragraph) {
                        add(document, paragraph, sections, number);
                    } else if (element instanceof XWPFTable table) {
                        sections.table(table.getRows().stream().map(row -> row.getTableCells().stream()
                                .map(XWPFTableCell::getText).toList()).toList(), number);
                    } else if (element instanceof XWPFSDT control) {
                        sections.text(control.getContent().getText(), number);
                    }
                }
                return sections.rows();
            }
        }

        private static void add(XWPFDocument document, XWPFParagraph paragraph, HandbookSections sections,
                long number) {
            String text = paragraph.getText().strip();
            Optional<Integer> level = level(document, paragraph);
            if (level.isPresent() && !text.isEmpty()) {
                sections.heading(level.get(), text, number);
            } else {
                sections.text(paragraph.getNumID() == null ? text : "- " + text, number);
            }
        }

        /** By its style, whose name is English whatever the language of Word is, or what that is based on. */
        private static Optional<Integer> level(XWPFDocument document, XWPFParagraph paragraph) {
            if (paragraph.getStyleID() == null || document.getStyles() == null) {
                return Optional.empty();
            }
            XWPFStyle style = document.getStyles().getStyle(paragraph.getStyleID());
            List<XWPFStyle> styles = style == null ? List.of() : document.getStyles().getUsedStyleList(style);
            for (XWPFStyle one : styles) {
                String name = one.getName() == null ? "" : one.getName().toLowerCase(Locale.ROOT);
                Matcher heading = HEADING.matcher(name);
                if (heading.matches() || name.equals("title")) {
                    return Optional.of(name.equals("title") ? 1 : 1 + Integer.parseInt(heading.group(1)));
                }
            }
            return Optional.empty();
        }
    }
}
