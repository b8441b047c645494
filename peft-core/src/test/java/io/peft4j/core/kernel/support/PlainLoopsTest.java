package io.peft4j.core.kernel.support;

class PlainLoopsTest extends LoopsContract {
    @Override
    protected Loops create() {
        return new PlainLoops();
    }
}
