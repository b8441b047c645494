package io.peft4j.report.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HtmlTest {
    private static final String ATTACK = "<script>alert('x')</script> & \"quoted\"";
    private static final String AS_TEXT = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;quoted&quot;";

    @Test
    void everythingButHtmlIsEscaped() {
        assertEquals("<p>" + AS_TEXT + "</p>", Html.tag("p", ATTACK).toString());
        assertEquals(AS_TEXT + "<b>7</b>", Html.all(ATTACK, Html.tag("b", 7)).toString());
        assertEquals("<td>" + AS_TEXT + "x</td>", Html.tag("td", List.of(ATTACK, Optional.of("x")), Optional.empty())
                .toString());
    }

    @Test
    void attributeValuesAreEscaped() {
        assertEquals("<div title=\"" + AS_TEXT + "\"></div>", Html.tag("div").with("title", ATTACK).toString());
        assertEquals("<line x1=\"0.33\"></line>", Html.tag("line").with("x1", 1 / 3.0).toString());
    }

    @Test
    void invalidCharactersBecomeTheReplacementCharacter() {
        assertEquals("a\ufffdb\ufffdc\nd", Html.all("a\u0000b\ud800c\nd").toString());
        assertEquals("\ud83d\ude00", Html.all("\ud83d\ude00").toString());
    }

    @Test
    void elementsThatLoadOrRunSomethingAreRefused() {
        for (String tag : List.of("script", "iframe", "img", "link", "style", "object", "form", "p onclick=x", "")) {
            assertThrows(IllegalArgumentException.class, () -> Html.tag(tag), tag);
        }
        for (String attribute : List.of("onclick", "src", "style", "srcset", "class=x onclick", "")) {
            assertThrows(IllegalArgumentException.class, () -> Html.tag("p").with(attribute, "x"), attribute);
        }
        for (String link : List.of("https://example.org", "javascript:alert(1)", "//example.org", "x.html")) {
            assertThrows(IllegalArgumentException.class, () -> Html.tag("a").with("href", link), link);
        }
        assertEquals("<a href=\"#top\">up</a>", Html.tag("a", "up").with("href", "#top").toString());
    }

    @Test
    void laterChangesOfAPartDoNotReachTheParent() {
        Html inner = Html.tag("b", "one");
        Html outer = Html.tag("p", inner);
        inner.add(" two");
        assertEquals("<p><b>one</b></p>", outer.toString());
        assertEquals("<p><br></p>", Html.tag("p", Html.tag("br")).toString());
    }
}
