package io.peft4j.data.clean;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.example.TextExample;
import java.text.Normalizer;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jsoup.Jsoup;
import org.jsoup.parser.Parser;

/** Changes to the texts of examples. */
final class TextCleaning {
    private static final Pattern INVISIBLE = Pattern.compile("[\\u200b\\u200e\\u200f\\u2060\\ufeff\\u00ad]");
    private static final Pattern TAG = Pattern.compile("(?i)</?(?:p|br|div|span|b|i|u|em|strong|a|ul|ol|li|table|tr|td|"
            + "th|thead|tbody|h[1-6]|font|img|script|style|html|body|head|section|article|sup|sub|hr|blockquote|center)"
            + "(?:\\s[^<>]{0,500})?/?>");
    private static final Pattern BLOCK_END = Pattern.compile("(?i)<br ?/?>|</(?:p|div|li|tr|h[1-6]|ul|ol|table)>");
    private static final Pattern ENTITY = Pattern.compile("&(?:[a-zA-Z]{2,8}|#\\d{2,6}|#x[0-9a-fA-F]{2,5});");
    private static final Pattern FENCE = Pattern.compile("```.*?(?:```|\\z)|`[^`\\n]+`", Pattern.DOTALL);

    private TextCleaning() {
    }

    /** The example with each of its texts changed; itself where none is. */
    static Example map(Example example, UnaryOperator<String> change) {
        if (example instanceof ChatExample chat) {
            return new ChatExample(messages(chat.messages(), change), chat.tools(), chat.extra(), chat.origin(),
                    chat.continuation());
        }
        if (example instanceof PreferenceExample row) {
            return new PreferenceExample(messages(row.prompt(), change), messages(row.preferred(), change),
                    messages(row.rejected(), change), row.tools(), row.extra(), row.origin(), row.continuation());
        }
        if (example instanceof ClassificationExample row) {
            return new ClassificationExample(change.apply(row.text()), row.label(), row.extra(), row.origin());
        }
        TextExample row = (TextExample) example;
        return new TextExample(change.apply(row.text()), row.extra(), row.origin());
    }

    /** The same for the texts in further fields of an example and of its messages, such as the arguments of calls. */
    static Example mapFields(Example example, UnaryOperator<String> change) {
        Map<String, Object> extra = FieldTexts.map(example.extra(), change);
        if (example instanceof ChatExample row) {
            return new ChatExample(withFields(row.messages(), change), row.tools(), extra, row.origin(),
                    row.continuation());
        }
        if (example instanceof PreferenceExample row) {
            return new PreferenceExample(withFields(row.prompt(), change), withFields(row.preferred(), change),
                    withFields(row.rejected(), change), row.tools(), extra, row.origin(), row.continuation());
        }
        if (example instanceof ClassificationExample row) {
            return new ClassificationExample(row.text(), row.label(), extra, row.origin());
        }
        return new TextExample(((TextExample) example).text(), extra, example.origin());
    }

    private static List<ChatMessage> withFields(List<ChatMessage> messages, UnaryOperator<String> change) {
        return messages.stream().map(message -> message.extra().isEmpty() ? message : new ChatMessage(message.role(),
                message.content(), FieldTexts.map(message.extra(), change))).toList();
    }

    private static List<ChatMessage> messages(List<ChatMessage> messages, UnaryOperator<String> change) {
        return messages.stream().map(message -> {
            String changed = change.apply(message.content());
            return changed.equals(message.content()) ? message : message.withContent(changed);
        }).toList();
    }

    static Stream<String> of(Example example) {
        Stream.Builder<String> texts = Stream.builder();
        map(example, text -> {
            texts.add(text);
            return text;
        });
        return texts.build();
    }

    static String longest(Example example) {
        return of(example).max(Comparator.comparingInt(String::length)).orElse("");
    }

    /** NFC, without invisible characters; the joiner between emoji stays. */
    static String oneSpelling(String text) {
        String same = Normalizer.isNormalized(text, Normalizer.Form.NFC) ? text
                : Normalizer.normalize(text, Normalizer.Form.NFC);
        Matcher invisible = INVISIBLE.matcher(same);
        return invisible.find() ? invisible.replaceAll("") : same;
    }

    static String withoutControls(String text) {
        StringBuilder kept = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean drop = Character.isISOControl(c) && c != '\n' && c != '\t' && c != '\r' || c == '\ufffe'
                    || c == '\uffff';
            if (drop && kept == null) {
                kept = new StringBuilder(text.substring(0, i));
            } else if (!drop && kept != null) {
                kept.append(c);
            }
        }
        return kept == null ? text : kept.toString();
    }

    /** Without tags and entities; code between back quotes stays as it is. */
    static String withoutHtml(String text) {
        if (!TAG.matcher(text).find() && !ENTITY.matcher(text).find()) {
            return text;
        }
        StringBuilder clean = new StringBuilder();
        Matcher fence = FENCE.matcher(text);
        int done = 0;
        while (fence.find()) {
            clean.append(plain(text.substring(done, fence.start()))).append(fence.group());
            done = fence.end();
        }
        return clean.append(plain(text.substring(done))).toString();
    }

    private static String plain(String text) {
        if (!TAG.matcher(text).find()) {
            return ENTITY.matcher(text).find() ? Parser.unescapeEntities(text, false) : text;
        }
        String lines = BLOCK_END.matcher(text).replaceAll("$0\n");
        String plain = Jsoup.parseBodyFragment(lines).body().wholeText();
        boolean spaceBefore = !text.isEmpty() && Character.isWhitespace(text.charAt(0));
        return spaceBefore && !plain.isEmpty() && !Character.isWhitespace(plain.charAt(0)) ? " " + plain : plain;
    }

    /** No spaces at the ends of lines and of the text, one kind of line end, at most one empty line. */
    static String tidySpaces(String text) {
        String lines = text.indexOf('\r') < 0 ? text : text.replace("\r\n", "\n").replace('\r', '\n');
        StringBuilder tidy = new StringBuilder(lines.length());
        int newlines = 0;
        int spaces = 0;
        for (int i = 0; i < lines.length(); i++) {
            char c = lines.charAt(i);
            if (c == '\n') {
                newlines++;
                spaces = 0;
            } else if (c == ' ' || c == '\u00a0' || c == '\t' || Character.isSpaceChar(c)) {
                spaces++;
            } else {
                boolean begun = tidy.length() > 0;
                if (begun) {
                    tidy.append("\n".repeat(Math.min(2, newlines)));
                }
                // Spaces at the beginning of a line may be the indentation of code or of a list.
                if (spaces > 0 && begun) {
                    tidy.append(newlines > 0 ? lines.substring(i - spaces, i) : " ");
                }
                newlines = 0;
                spaces = 0;
                tidy.append(c);
            }
        }
        String result = tidy.toString();
        return result.equals(text) ? text : result;
    }
}
