package io.peft4j.lora.init;

import io.peft4j.core.array.SingularValues;
import io.peft4j.core.peft.method.AdapterSetup;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * PiSSA (<a href="https://arxiv.org/abs/2404.02948">2404.02948</a>): the r largest singular values of the base weight,
 * {@code b = U sqrt(S / s)}, {@code a = sqrt(S / s) V}.
 *
 * @param iterations by so many iterations in Hugging Face PEFT, which are faster there and less exact. Here it is
 *     exact, kept under its own name
 */
record Pissa(OptionalInt iterations) implements LoraInit {
    private static final Pattern ITERATED = Pattern.compile("\"pissa_niter_(\\d{1,4})\"");

    static Optional<LoraInit> iterated(String json) {
        Matcher matcher = ITERATED.matcher(json);
        return matcher.matches() ? Optional.of(new Pissa(OptionalInt.of(Integer.parseInt(matcher.group(1)))))
                : Optional.empty();
    }

    @Override
    public String json() {
        return iterations.isPresent() ? "\"pissa_niter_" + iterations.getAsInt() + '"' : "\"pissa\"";
    }

    @Override
    public BasePart basePart() {
        return iterations.isPresent() ? BasePart.UNREPEATABLE : BasePart.REPEATABLE;
    }

    @Override
    public List<LoraTarget> begin(AdapterSetup setup, List<LoraTarget> targets) {
        return LoraTarget.each(targets, this::start);
    }

    LoraStart start(LoraTarget target) {
        target.requireRank(this, target.rank());
        target.requirePositive(this);
        SingularValues parts = target.decompose(this, Decompositions.values(target.linear().weight()), target.rank());
        return LoraStart.shared(parts.u(), parts.s(), parts.vt(), target.scaling(), true, new float[0]);
    }
}
