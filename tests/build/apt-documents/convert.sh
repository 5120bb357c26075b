#!/bin/sh
# Makes a document of each kind and prints what is in it.
set -eu
cd "$(mktemp -d)"
here=/work

gs -q -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile=page.pdf "$here/page.ps"
pdftotext page.pdf - | head -n 1
pdfinfo page.pdf | grep Pages
qpdf --check page.pdf | grep -c 'No syntax'

pdftoppm -r 20 -png page.pdf page
convert page-1.png -resize 50% -colorspace Gray small.gif
identify -format '%m %wx%h\n' small.gif
convert -size 60x20 -pointsize 12 label:ok label.png
identify -format '%m %wx%h\n' label.png

dot -Tsvg "$here/graph.dot" | xsltproc --nonet --novalid "$here/titles.xsl" -
dot -Tpng "$here/graph.dot" > graph.png
identify -format '%m\n' graph.png
gnuplot -e 'set terminal pngcairo size 100,80; set output "plot.png"; plot x**2'
exiftool -s3 -ImageSize plot.png

zip -q all.zip ./*.png && unzip -Z1 all.zip | wc -l
7z a -bd all.7z page.pdf > all.log && 7z l all.7z | grep -o 'page.pdf$'
git init -q . && git add page.pdf && git status --short page.pdf
