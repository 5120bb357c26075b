<?php

$formatter = new NumberFormatter('en', NumberFormatter::SPELLOUT);
echo $formatter->format(42);
