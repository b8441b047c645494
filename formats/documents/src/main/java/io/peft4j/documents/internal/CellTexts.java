package io.peft4j.documents.internal;

import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.Locale;
import org.apache.poi.ss.usermodel.DataFormatter;
import org.apache.poi.ss.usermodel.DateUtil;

/** Cells as they are shown, whatever the machine's language is; dates and times in ISO 8601. */
final class CellTexts extends DataFormatter {
    CellTexts() {
        super(Locale.ROOT);
    }

    @Override
    public String formatRawCellContents(double value, int index, String format, boolean since1904) {
        if (!DateUtil.isADateFormat(index, format) || !DateUtil.isValidExcelDate(value)) {
            return super.formatRawCellContents(value, index, format, since1904);
        }
        LocalDateTime time = DateUtil.getLocalDateTime(value, since1904);
        return value < 1 ? time.toLocalTime().toString() : time.toLocalTime().equals(LocalTime.MIDNIGHT)
                ? time.toLocalDate().toString() : time.toString();
    }
}
