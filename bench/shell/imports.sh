# Starts 500 programs.
for i in {1..500}; do /bin/true; done
echo "$i"
