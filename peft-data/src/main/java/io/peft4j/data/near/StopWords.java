package io.peft4j.data.near;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Words with a part in comparisons: English and German. */
final class StopWords {
    /** Words that can come or go without another meaning: politeness, articles, filling words. */
    static final Set<String> FILLERS = set("please kindly could can would will you tell me us let know a an the hi "
            + "hello hey dear thanks thank just exactly currently actually precisely ok okay so well i we my our your "
            + "give explain say quick question want wondering like bitte kannst konnen sie du mir uns der die das den "
            + "dem des ein eine einen einem einer sagen hallo danke mal denn eigentlich genau ich wir mein meine "
            + "unser unsere");
    /** Words that carry no topic; fillers included. */
    static final Set<String> STOPS = union(FILLERS, set("is are was were be been being am do does did have has had "
            + "of for to in on at by with from as and or that this these those there it its their they them he she "
            + "his her what which who whom whose when where why how many much long often far get got take need must "
            + "should may might shall about into than then also any some one ist sind war waren sein hat haben hatte "
            + "wird werden von fur zu zum zur im in am an auf bei mit aus als und oder es sich man was welche welcher "
            + "welches welchem welchen unter vielen "
            + "wer wen wem wann wo warum wie viel viele lange oft muss soll darf kann gibt hier da habe hast "
            + "bekomme bekommen bekommt erhalte erhalten erhalt kriege kriegen kriegt "
            + "et le la les un une de du des est que faut savoir sur hay saber sobre el los las bisogna sapere weten "
            + "uber wissen"));
    static final Set<String> NEGATIONS = set("not no never cannot none neither nor without nothing nobody nowhere "
            + "forbidden prohibited unable impossible nein nicht kein keine keinen keinem keiner nie niemals ohne "
            + "nichts verboten untersagt");
    /** Words by which a German sentence differs from an English one. */
    static final Set<String> GERMAN = set("der das dem des ein eine einen einem einer ist sind wie wann wer wo "
            + "wird werden und nicht kein keine im fur zu zum zur ich wir kann muss darf gibt mit von auf bei");
    static final Set<String> AUXILIARIES = set("is are was were do does did can could may must should will would has "
            + "have am shall ist sind darf kann muss soll hat haben gibt");
    private static final Map<String, Integer> NUMBERS = numbers();

    private StopWords() {
    }

    private static Set<String> set(String words) {
        return Arrays.stream(words.split(" ")).collect(Collectors.toUnmodifiableSet());
    }

    private static Set<String> union(Set<String> a, Set<String> b) {
        return java.util.stream.Stream.concat(a.stream(), b.stream()).collect(Collectors.toUnmodifiableSet());
    }

    private static Map<String, Integer> numbers() {
        Map<String, Integer> numbers = new HashMap<>();
        String[] units = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
                .concat("seventeen eighteen nineteen").split(" ");
        for (int i = 0; i < units.length; i++) {
            numbers.put(units[i], i + 2);
        }
        String[] tens = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
        for (int i = 0; i < tens.length; i++) {
            numbers.put(tens[i], 10 * (i + 2));
        }
        String[] german = "zwei drei vier funf sechs sieben acht neun zehn elf zwolf".split(" ");
        for (int i = 0; i < german.length; i++) {
            numbers.put(german[i], i + 2);
        }
        return Map.copyOf(numbers);
    }

    /** The value of a number that is written as a word, 0 where it is none. */
    static int number(String word) {
        return NUMBERS.getOrDefault(word, 0);
    }
}
