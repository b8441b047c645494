package io.peft4j.serve.answer;

import java.util.List;
import java.util.Optional;

/** The text of an answer while it grows, of which what may be a call of a tool is held back. */
final class ToolText {
    private final Optional<ToolForm> form;
    private final List<String> tools;
    private final StringBuilder text = new StringBuilder();
    private int told;

    /**
     * No text yet.
     *
     * @param form empty where there are no tools
     */
    ToolText(Optional<ToolForm> form, List<String> tools) {
        this.form = form;
        this.tools = tools;
    }

    /** Takes a piece; gives what of the text is content and has not been given before. */
    String accept(String piece) {
        text.append(piece);
        return form.map(each -> tell(safe(each))).orElse(piece);
    }

    /** How many characters are content for sure. */
    private int safe(ToolForm each) {
        String begin = each.begin();
        if (each != ToolForm.HERMES) {
            String seen = text.toString().stripLeading();
            return seen.isEmpty() || seen.startsWith(begin) ? 0 : text.length();
        }
        int found = text.indexOf(begin);
        if (found >= 0) {
            return found;
        }
        int held = Math.min(begin.length() - 1, text.length());
        while (held > 0 && !begin.startsWith(text.substring(text.length() - held))) {
            held--;
        }
        return text.length() - held;
    }

    private String tell(int end) {
        String fresh = end > told ? text.substring(told, end) : "";
        told = Math.max(told, end);
        return fresh;
    }

    /** What the text turned out to be: content that has not been given before, and calls. */
    ToolForm.Parsed finish() {
        if (form.isEmpty()) {
            return new ToolForm.Parsed("", List.of());
        }
        ToolForm.Parsed parsed = form.get().parse(text.toString(), tools);
        String rest = parsed.calls().isEmpty() ? text.substring(told) : "";
        return new ToolForm.Parsed(rest, parsed.calls());
    }
}
