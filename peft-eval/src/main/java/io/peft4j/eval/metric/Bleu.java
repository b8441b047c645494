package io.peft4j.eval.metric;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * BLEU (Papineni et al. 2002) equal to sacreBLEU (Post 2018) with its defaults: the tokenizer 13a of the WMT
 * evaluations, n-grams up to 4, case kept, exponential smoothing. {@code BLEU = BP exp(mean of log p_n)} with
 * {@code BP = min(1, exp(1 - r / h))} for h tokens of the answers and r of the references nearest in length.
 *
 * <p>A single sentence is scored with the effective order: orders that it is too short for are left out, as sacreBLEU
 * recommends and does in {@code sentence_bleu}.
 */
public final class Bleu implements CorpusMetric {
    private static final int ORDER = 4;
    private static final String VERSION = "2.6.0";
    private static final Pattern SYMBOLS = Pattern.compile("([{-~\\[-` -&(-+:-@/])");
    private static final Pattern POINT_AFTER_OTHER = Pattern.compile("([^0-9])([.,])", Pattern.DOTALL);
    private static final Pattern POINT_BEFORE_OTHER = Pattern.compile("([.,])([^0-9])", Pattern.DOTALL);
    private static final Pattern DASH_AFTER_DIGIT = Pattern.compile("([0-9])(-)");

    @Override
    public String name() {
        return "bleu";
    }

    @Override
    public String signature(int references) {
        return "nrefs:" + references + "|case:mixed|eff:no|tok:13a|smooth:exp|version:" + VERSION;
    }

    /** {@code [h, r, matches of n = 1 to 4, n-grams of n = 1 to 4]}. */
    @Override
    public double[] statistics(String prediction, List<String> references) {
        List<String> answer = tokens(prediction);
        List<List<String>> expected = references.stream().map(Bleu::tokens).toList();
        double[] counts = new double[2 + 2 * ORDER];
        counts[0] = answer.size();
        counts[1] = nearest(answer.size(), expected);
        for (int n = 1; n <= ORDER; n++) {
            Map<List<String>, Integer> most = new HashMap<>();
            for (List<String> tokens : expected) {
                Ngrams.count(tokens, n).forEach((run, count) -> most.merge(run, count, Math::max));
            }
            counts[1 + n] = Ngrams.common(Ngrams.count(answer, n), most);
            counts[1 + ORDER + n] = Math.max(0, answer.size() - n + 1);
        }
        return counts;
    }

    /** The length of the reference that is nearest in length, the shorter one of two. */
    private static int nearest(int length, List<List<String>> references) {
        int nearest = references.get(0).size();
        for (List<String> reference : references) {
            int distance = Math.abs(length - reference.size());
            int best = Math.abs(length - nearest);
            nearest = distance < best || distance == best && reference.size() < nearest ? reference.size() : nearest;
        }
        return nearest;
    }

    @Override
    public double score(double[] sums) {
        return score(sums, false);
    }

    @Override
    public double sentence(String prediction, List<String> references) {
        return score(statistics(prediction, references), true);
    }

    private static double score(double[] sums, boolean effectiveOrder) {
        double logs = 0;
        double smooth = 1;
        double matches = 0;
        for (int n = 1; n <= ORDER; n++) {
            matches += sums[1 + n];
        }
        if (matches == 0) {
            return 0;
        }
        int used = 0;
        for (int n = 1; n <= ORDER && sums[1 + ORDER + n] > 0; n++) {
            double correct = sums[1 + n];
            smooth *= correct == 0 ? 2 : 1;
            logs += Math.log(100 * (correct == 0 ? 1 / smooth : correct) / sums[1 + ORDER + n]);
            used = n;
        }
        // An order that no answer is long enough for has the precision 0.
        if (used < ORDER && !effectiveOrder) {
            return 0;
        }
        double brevity = sums[0] < sums[1] ? Math.exp(1 - sums[1] / sums[0]) : 1;
        return brevity * Math.exp(logs / used);
    }

    /** The tokens by the rules of mteval-v13a. */
    static List<String> tokens(String text) {
        String line = PythonText.stripEnd(text).replace("<skipped>", "").replace("-\n", "").replace('\n', ' ');
        line = line.replace("&quot;", "\"").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
        line = SYMBOLS.matcher(" " + line + " ").replaceAll(" $1 ");
        line = POINT_AFTER_OTHER.matcher(line).replaceAll("$1 $2 ");
        line = POINT_BEFORE_OTHER.matcher(line).replaceAll(" $1 $2");
        line = DASH_AFTER_DIGIT.matcher(line).replaceAll("$1 $2 ");
        return new ArrayList<>(PythonText.split(line));
    }
}
