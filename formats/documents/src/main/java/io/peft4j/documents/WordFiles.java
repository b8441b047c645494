package io.peft4j.documents;

import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.FileType;
import io.peft4j.data.format.HandbookSections;
import io.peft4j.data.format.HandbookTable;
import io.peft4j.data.format.RowSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
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
import org.apache.poi.xwpf.usermodel.XWPFTableRow;
import org.openxmlformats.schemas.wordprocessingml.x2006.main.CTTcPr;
import org.openxmlformats.schemas.wordprocessingml.x2006.main.STMerge;

/** Handbooks in DOCX: a row for each heading with text below it; its line is the number of the paragraph. */
public final class WordFiles implements FileType {
    @Override
    public String ending() {
        return ".docx";
    }

    @Override
    public RowSource open(DataFile file) {
        return Documents.read(file, WordHandbook::read);
    }

    /** A handbook in DOCX, cut at the paragraphs whose style is that of a heading. */
    private static final class WordHandbook {
        private static final int MOST_COLUMNS = 1000;
        /** Steps for a place of a table. */
        private static final int PLACE = 64;
        private static final Pattern HEADING = Pattern.compile("heading (\\d)");

        private WordHandbook() {
        }

        static RowSource read(Path file, HandbookSections sections) throws IOException {
            try (OPCPackage container = OfficePackages.open(file);
                    XWPFDocument document = new XWPFDocument(container)) {
                long number = 0;
                for (IBodyElement element : document.getBodyElements()) {
                    number++;
                    sections.place("paragraph", (int) number);
                    if (element instanceof XWPFParagraph paragraph) {
                        add(document, paragraph, sections, number);
                    } else if (element instanceof XWPFTable table) {
                        sections.table(new HandbookTable(cells(table, sections)), number);
                    } else if (element instanceof XWPFSDT control) {
                        sections.text(control.getContent().getText(), number);
                    }
                }
                return sections.rows();
            }
        }

        /** Each place of a table with the cell that covers it, which may be the one of the place above. */
        private static List<List<HandbookTable.Cell>> cells(XWPFTable table, HandbookSections sections) {
            List<List<HandbookTable.Cell>> rows = new ArrayList<>();
            for (XWPFTableRow row : table.getRows()) {
                List<HandbookTable.Cell> above = rows.isEmpty() ? List.of() : rows.get(rows.size() - 1);
                List<HandbookTable.Cell> cells = new ArrayList<>();
                for (XWPFTableCell cell : row.getTableCells()) {
                    Optional<CTTcPr> shape = Optional.ofNullable(cell.getCTTc().getTcPr());
                    int columns = shape.map(CTTcPr::getGridSpan).map(span -> span.getVal().intValue()).orElse(1);
                    boolean goesOn = cells.size() < above.size() && shape.map(CTTcPr::getVMerge)
                            .filter(merge -> !STMerge.RESTART.equals(merge.getVal())).isPresent();
                    int places = Math.max(1, Math.min(MOST_COLUMNS, columns));
                    sections.step(PLACE * places);
                    cells.addAll(Collections.nCopies(places, goesOn
                            ? above.get(cells.size()) : new HandbookTable.Cell(cell.getText())));
                }
                rows.add(cells);
            }
            return rows;
        }

        private static void add(XWPFDocument document, XWPFParagraph paragraph, HandbookSections sections,
                long number) {
            String text = paragraph.getText().strip();
            Optional<Integer> level = level(document, paragraph, sections);
            if (level.isPresent() && !text.isEmpty()) {
                sections.heading(level.get(), text, number);
            } else {
                sections.text(paragraph.getNumID() == null ? text : "- " + text, number);
            }
        }

        /** By its style, whose name is English whatever the language of Word is, or what that is based on. */
        private static Optional<Integer> level(XWPFDocument document, XWPFParagraph paragraph,
                HandbookSections sections) {
            if (paragraph.getStyleID() == null || document.getStyles() == null) {
                return Optional.empty();
            }
            XWPFStyle style = document.getStyles().getStyle(paragraph.getStyleID());
            List<XWPFStyle> styles = style == null ? List.of() : document.getStyles().getUsedStyleList(style);
            // Each is looked for among those before it.
            sections.step(document.getStyles().getNumberOfStyles() + (long) styles.size() * styles.size());
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
