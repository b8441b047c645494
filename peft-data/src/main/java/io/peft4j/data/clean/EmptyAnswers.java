package io.peft4j.data.clean;

import io.peft4j.core.Internal;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Answers that give nothing: refusals, evasions, placeholders. */
@Internal
public final class EmptyAnswers {
    private static final Pattern MACHINE = Pattern.compile("(?i)\\bas an? (?:ai|artificial intelligence|language model|"
            + "large language model|virtual assistant|chatbot)\\b|\\bi(?:'m| am) (?:just |only )?an? (?:ai|language "
            + "model)\\b|\\bals (?:ki|k\u00fcnstliche intelligenz|sprachmodell|ki-(?:modell|assistent))\\b");
    private static final Pattern UNABLE = Pattern.compile("(?i)^\\W*(?:(?:i(?:'m| am) )?(?:very |so |really |truly )?"
            + "(?:sorry|afraid)\\b[^.!?]{0,60}?|unfortunately,? |i apologi[sz]e[^.!?]{0,60}?|my "
            + "apologies[^.!?]{0,40}?)?"
            + "\\bi (?:can(?:no|')t|can not|cannot|could not|couldn't|won't|will not|am not able to|am unable "
            + "to|'m unable "
            + "to|'m not able to|don't have access to|do not have access to|am not allowed to|must decline)"
            + "(?! (?:recommend|stress|emphasi[sz]e|thank|wait|imagine))");
    private static final Pattern SHORT = Pattern.compile("(?i)^\\W*(?:n/?a|none|null|nil|tbd|tba|todo|to be (?:done|"
            + "defined|determined|announced)|unknown|no answer|no comment|i don'?t know|i do not know|i have no idea|"
            + "not sure|not available|lorem ipsum.*|\\?+|-+|\\.{2,}|x{2,}|keine ahnung|wei\u00df ich nicht|keine "
            + "angabe|"
            + "(?:das )?kann ich (?:leider )?nicht (?:sagen|beantworten))\\W*$");
    private static final int BRIEF = 240;

    private EmptyAnswers() {
    }

    /** The words by which an answer gives nothing. */
    public static Optional<String> in(String answer) {
        String text = answer.strip().replace('\u2019', '\'');
        Matcher machine = MACHINE.matcher(text);
        if (machine.find()) {
            return Optional.of(machine.group());
        }
        if (text.length() <= BRIEF) {
            if (SHORT.matcher(text).matches()) {
                return Optional.of(text);
            }
            Matcher unable = UNABLE.matcher(text);
            if (unable.find()) {
                return Optional.of(unable.group().strip());
            }
        }
        return Optional.empty();
    }

    /** For a message: at most 40 characters. */
    public static String shortened(String text) {
        String line = text.replaceAll("\\s+", " ").strip();
        return line.length() <= 40 ? line : line.codePoints().limit(37).collect(StringBuilder::new,
                StringBuilder::appendCodePoint, StringBuilder::append) + "...";
    }
}
