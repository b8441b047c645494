package io.peft4j.report.support;

import java.util.List;
import java.util.Map;

/** What pages are made of. */
public final class Blocks {
    private Blocks() {
    }

    /**
     * The head of a page: what it comes to, in a word and a sentence, or a list of several.
     *
     * @param tone whether that is good
     * @param headline the word
     * @param sentences the sentence, or a list of several
     * @param more what belongs right below it
     */
    public static Html banner(Status tone, String headline, Object sentences, Object... more) {
        return Html.tag("header", Html.tag("h1", headline), sentences instanceof List<?> several ? list(several)
                : Html.tag("p", sentences)).css("card " + tone.css())
                .add(more);
    }

    /** A card: a heading and what it is about. */
    public static Html card(String heading, Object... content) {
        return Html.tag("section", Html.tag("h2", heading)).css("card").add(content);
    }

    /** How to read what follows. */
    public static Html note(Object... content) {
        return Html.tag("p", content).css("note");
    }

    /** Text in a colour. */
    public static Html toned(Status tone, Object... content) {
        return Html.tag("span", content).css(tone.css());
    }

    /** A list of points in a box, with a heading; for what must not be overlooked. */
    public static Html points(Status tone, String heading, List<?> points) {
        return Html.tag("div", Html.tag("b", heading), list(points)).css("points " + tone.css());
    }

    private static Html list(List<?> points) {
        Html list = Html.tag("ul");
        points.forEach(point -> list.add(Html.tag("li", point)));
        return list;
    }

    /** Names and what they stand for, one line each. */
    public static Html facts(Map<String, ?> facts) {
        Html list = Html.tag("dl");
        facts.forEach((name, value) -> list.add(Html.tag("dt", name), Html.tag("dd", value)));
        return list;
    }

    /** One of the parts of {@link #sides}: a heading and what is below it. */
    public static Html side(Status tone, String heading, Object... content) {
        return Html.tag("div", Html.tag("b", heading)).css(tone.css()).add(content);
    }

    /** Parts side by side if there is room, else below each other. */
    public static Html sides(Object... parts) {
        return Html.tag("div", parts).css("sides");
    }
}
