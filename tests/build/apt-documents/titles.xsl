<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:s="http://www.w3.org/2000/svg">
  <xsl:output method="text"/>
  <xsl:template match="/">
    <xsl:for-each select="//s:g[@class='node']/s:title"><xsl:value-of select="."/><xsl:text>&#10;</xsl:text></xsl:for-each>
  </xsl:template>
</xsl:stylesheet>
