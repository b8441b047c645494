package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LayerCopy;
import java.util.List;

/** A norm for each head: x, y [N, heads x D]. */
record HeadwiseNorm(List<Slot> norms) implements LayerCopy.Part {
    @Override
    public Layer copy(LayerCopy copy) {
        return new HeadwiseNorm(norms.stream().map(copy::of).toList());
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return forward(context, x, 0, norms.size());
    }

    /** The heads from {@code first} to before {@code end}, put together by halves so that few columns are copied. */
    private Variable forward(ForwardContext context, Variable x, int first, int end) {
        if (end - first == 1) {
            int size = x.columns() / norms.size();
            return norms.get(first).forward(context, ColumnOps.slice(context.tape(), x, first * size, end * size));
        }
        int middle = (first + end) / 2;
        return ColumnOps.concat(context.tape(), forward(context, x, first, middle),
                forward(context, x, middle, end));
    }
}
